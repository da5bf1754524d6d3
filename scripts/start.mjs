// `npm start`: everything from a bare machine with Node to a verified Go toolchain that has built a program.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { prepare } from "./start/prepare.mjs";
import { Steps } from "./start/steps.cjs";

const USAGE = `npm start                 install the toolchain and try it
npm start -- --preview    only show what would change
npm start -- --destroy    take everything off again`;

const MODES = { "--preview": "preview", "--destroy": "destroy" };
const INTERRUPTED = 130;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const steps = new Steps();

const args = process.argv.slice(2);
const unknown = args.filter((each) => !(each in MODES));
if (unknown.length > 0 || args.length > 1) {
  const help = args.includes("--help") || args.includes("-h");
  (help ? process.stdout : process.stderr).write(`${USAGE}\n`);
  process.exit(help ? 0 : 2);
}
const [major] = process.versions.node.split(".");
if (Number(major) < 20) {
  process.stderr.write(`npm start needs Node 20 or newer; this is ${process.version} (https://nodejs.org)\n`);
  process.exit(1);
}

const stop = new AbortController();
const stopEngine = new AbortController();
let interrupted = 0;
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => interrupt(name));

try {
  process.chdir(root);
  const mode = MODES[args[0]] ?? "up";
  steps.line(`\n  ${steps.bold("gofleet")} ${steps.dim(`quickstart${mode === "up" ? "" : `, ${mode}`}`)}\n`);
  for (const note of platformNotes()) steps.line(`  ${steps.paint(33, "!")} ${note}\n`);
  await prepare(root, steps, stop.signal);
  await import("tsx");
  const { quickstart } = require("./start/quickstart.ts");
  await quickstart({
    root,
    mode,
    steps,
    signal: stop.signal,
    engineSignal: stopEngine.signal,
    program: () => ({ ...require("../quickstart.ts") }),
  });
} catch (error) {
  const stopped = interrupted > 0;
  steps.fail(stopped ? "stopped" : "failed");
  steps.line(stopped ? "\n  npm start goes on from here\n" : `\n${indent(messageOf(error))}\n`);
  process.exitCode = stopped ? INTERRUPTED : 1;
}

/**
 * On a terminal, Ctrl-C reaches every process of the group, the engine too, which settles what it is doing; passing it
 * on as well would count as the second one, which makes the engine drop everything. So the engine is only told of what
 * came to this process alone, or of a second one (npm repeats the first within an instant).
 */
function interrupt(name) {
  const now = Date.now();
  if (now - interrupted < 500) return;
  const first = interrupted === 0;
  interrupted = now;
  if (first) steps.line(`  ${steps.paint(33, "!")} stopping: what is running is brought to a safe end`);
  stop.abort();
  if (!first || name === "SIGTERM" || !process.stdin.isTTY) stopEngine.abort();
}

function platformNotes() {
  if (process.platform === "darwin") {
    return ["macOS: skipped are applying and the Go program (the agent and the locked Go are for Linux); preview runs"];
  }
  if (process.platform !== "linux") return [`${process.platform} is not supported; use Linux, or WSL on Windows`];
  const version = "/proc/sys/kernel/osrelease";
  if (existsSync(version) && /microsoft/i.test(readFileSync(version, "utf8"))) {
    return ["WSL: skipped are services, timers and test hosts; the quickstart needs none of them"];
  }
  return [];
}

function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

function indent(text) {
  return text.replace(/^/gm, "  ");
}
