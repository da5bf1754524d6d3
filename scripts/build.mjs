// Compiles src/ to dist/, copies the host agent and the like beside it, and links the package into its own node_modules, so that
// the Pulumi programs in this checkout (and the provider process) find "gofleet" as any user's program does.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packHostTools } from "./host-tools.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
// Built beside and then swapped in: a test run or a provider process that is using dist/ never finds half of it.
const staged = join("node_modules", ".cache", "gofleet", `dist.${process.pid}`);
const old = `${staged}.old`;
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--outDir", staged], {
  stdio: "inherit",
});
cpSync("src/host/agent", join(staged, "host/agent"), { recursive: true });
cpSync("src/engine/pulumi-cli", join(staged, "engine/pulumi-cli"), { recursive: true });
cpSync("src/report/report.schema.json", join(staged, "report/report.schema.json"));
await packHostTools(join(staged, "hosttools"));
chmodSync(join(staged, "cli/main.js"), 0o755);
if (existsSync("dist")) renameSync("dist", old);
renameSync(staged, "dist");
rmSync(old, { recursive: true, force: true });
const self = join("node_modules", "gofleet");
if (!lstatSync(self, { throwIfNoEntry: false })) {
  mkdirSync("node_modules", { recursive: true });
  symlinkSync("..", self, "dir");
}
// Last, so that `npm start` never takes an interrupted build for a complete one.
mkdirSync("node_modules/.cache/gofleet", { recursive: true });
writeFileSync("node_modules/.cache/gofleet/built", "");
