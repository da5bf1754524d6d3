// Compiles src/ to dist/, copies the host agent beside it, and links the package into its own node_modules, so that
// the Pulumi programs in this checkout (and the provider process) find "gofleet" as any user's program does.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"], { stdio: "inherit" });
cpSync("src/host/agent", "dist/host/agent", { recursive: true });
cpSync("src/engine/pulumi-cli", "dist/engine/pulumi-cli", { recursive: true });
if (existsSync("dist/cli/main.js")) chmodSync("dist/cli/main.js", 0o755);
const self = join("node_modules", "gofleet");
if (!lstatSync(self, { throwIfNoEntry: false })) {
  mkdirSync("node_modules", { recursive: true });
  symlinkSync("..", self, "dir");
}
// Last, so that `npm start` never takes an interrupted build for a complete one.
mkdirSync("node_modules/.cache/gofleet", { recursive: true });
writeFileSync("node_modules/.cache/gofleet/built", "");
