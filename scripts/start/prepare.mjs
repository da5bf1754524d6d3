// Installs and builds this checkout as far as that is needed: the first steps of `npm start`.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Written by scripts/build.mjs when a build is complete. */
const BUILT = "node_modules/.cache/gofleet/built";
const SOURCES = [
  "src",
  "hosttools",
  "tsconfig.json",
  "package-lock.json",
  "scripts/build.mjs",
  "scripts/host-tools.mjs",
];

/** Installs dependencies and compiles, each only where it is needed. */
export async function prepare(root, steps, signal) {
  if (!installed(root)) {
    const step = steps.begin("dependencies", "installing with npm ci");
    await run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { root, signal, step });
    step.done("installed");
  }
  if (stale(root)) {
    const step = steps.begin("build", "compiling TypeScript");
    await run(process.execPath, ["scripts/build.mjs"], { root, signal, step });
    step.done("compiled");
  }
}

/** Whether node_modules holds what package-lock.json asks for: npm keeps a list of what it installed. */
export function installed(root) {
  const list = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(list)) return false;
  const [wanted, found] = [join(root, "package-lock.json"), list].map((path) => JSON.parse(readFileSync(path, "utf8")));
  return Object.entries(wanted.packages).every(
    ([path, { version, optional }]) => path === "" || optional || found.packages[path]?.version === version,
  );
}

/** Whether a source is newer than the last complete build; a directory is newer when a file in it came or went. */
export function stale(root) {
  const built = join(root, BUILT);
  if (!existsSync(built) || !existsSync(join(root, "dist", "index.js"))) return true;
  const { mtimeMs } = statSync(built);
  const newer = (path) => {
    const found = statSync(path);
    return (
      found.mtimeMs > mtimeMs || (found.isDirectory() && readdirSync(path).some((name) => newer(join(path, name))))
    );
  };
  return SOURCES.some((path) => newer(join(root, path)));
}

/** Runs a command; what it prints is the step's progress, and all of it is the error when it fails. */
function run(command, args, { root, signal, step }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, signal, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        const line = text.trim().split("\n").pop();
        if (line) step.progress(line);
      });
    }
    child.on("error", (error) =>
      reject(error.name === "AbortError" ? error : new Error(`${command}: ${error.message}`)),
    );
    child.on("close", (code) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(`${command} ${args[0]} failed (exit code ${code}):\n${output.trim()}`));
    });
  });
}
