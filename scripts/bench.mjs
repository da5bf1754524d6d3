// Runs one benchmark: `npm run bench -- NAME`. Progress goes to stderr; the last line of stdout is one JSON object
// {"name": …, "figures": {…}}, figures in SI units.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));

const names = readdirSync("bench").filter((name) => existsSync(join("bench", name, "index.ts")));
const [name, ...args] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`no benchmark "${name ?? ""}"; usage: npm run bench -- NAME, one of ${names.join(", ")}`);
  process.exit(2);
}

// Ctrl-C reaches the benchmark too, which has hosts to clean up; this process waits for it.
process.on("SIGINT", () => undefined);
const { status } = spawnSync(process.execPath, ["--import", "tsx", join("bench", name, "index.ts"), ...args], {
  stdio: "inherit",
});
process.exit(status ?? 1);
