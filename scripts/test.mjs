// Runs the test suites. `node scripts/test.mjs` prepares what it needs (dependencies, build, engine) and runs those that
// need no root; `… hosts` the real systemd hosts; `… all` everything, with no sampling. Names of suites may be given.
// Prints minutes per suite and a closing line; fails on a failed test and, in CI, on a skip that is not on
// test/allowed-skips.txt.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));

const node = process.execPath;
/** Files beside each other: on two cores, for most of them wait for something now and then. */
const PARALLEL = ["--parallel", "--jobs", "2"];
const mocha = (...globs) => [
  node,
  "node_modules/mocha/bin/mocha.js",
  "--reporter",
  "test/support/reporter.cjs",
  ...globs,
];

/**
 * Files of the slow suites that CI takes turns with, by commit: each commit runs one in six of them, and every other
 * file of the suite. `npm run test:all` runs them all, and so does the suite by its own command.
 */
const TURNS = 6;
const SAMPLED = {
  hosts: ["build", "downloads", "look", "ownership", "packages", "ports", "supplies", "trust", "watch", "units"],
  mirror: ["faults", "default-source", "fleet", "front-tls", "athens-host", "front-config", "store-alerts", "acme"],
  sandbox: ["canary", "reboot", "bounds", "namespaces", "images", "cacheprog", "agents-jenkins", "shared"],
  rollouts: ["gates", "rollback"],
  service: ["releases", "watch", "pool", "zero-downtime", "together", "gates", "unit", "rsyslog", "irreversible"],
  // On another SDK and CLI; on the locked ones all of them run for every commit.
  "engine-turn": [
    "hooks",
    "mirror",
    "mirror-ref",
    "mirror-secrets",
    "platform-stack",
    "policy",
    "pool",
    "protect",
    "sandbox",
    "sandbox-agents",
    "service",
    "signals",
    "start",
    "unknowns",
  ],
};

/**
 * Files that take minutes of a virtual machine, every instruction of which is emulated: each commit runs one of them, in
 * turns of their own.
 */
const EMULATED = ["hosts/clock", "sandbox/whole", "sandbox/canary-enforced", "service/out-of-memory"];

/** A suite is a list of commands; those of mocha report their counts. */
const SUITES = {
  lint: [
    [node, "node_modules/eslint/bin/eslint.js", "."],
    [node, "node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."],
    [node, "node_modules/typescript/bin/tsc", "--noEmit", "-p", "test/tsconfig.json"],
  ],
  unit: [
    mocha(
      ...PARALLEL,
      "test/*.test.ts",
      "test/{cli,components,docs,host,model,plan,policy,render,targets}/**/*.test.ts",
      "test/report/{*,post/**/*}.test.ts",
    ),
  ],
  agent: [mocha(...PARALLEL, "test/agent/**/*.test.ts")],
  engine: [mocha(...PARALLEL, "test/engine/**/*.test.ts")],
  "engine-turn": [mocha(...PARALLEL, ...sample("engine-turn", "engine"))],
  // Whole rollouts and their undoing through the engine: minutes each.
  rollouts: [mocha(...PARALLEL, ...sample("rollouts"))],
  // The same again on the newest Node, SDK and CLI that can be had, in a copy of the checkout.
  newest: [[node, "--import", "tsx", "scripts/newest/index.ts"]],
  report: [mocha("test/report/{engine,tools}/**/*.test.ts")],
  package: [mocha("test/package/**/*.test.ts")],
  hosts: [mocha(...sample("hosts"))],
  mirror: [mocha(...sample("mirror"))],
  sandbox: [mocha(...sample("sandbox"))],
  service: [mocha(...sample("service"))],
};
const GROUPS = {
  default: ["lint", "unit", "agent", "engine"],
  hosts: ["hosts"],
  mirror: ["mirror"],
  sandbox: ["sandbox"],
  rollouts: ["rollouts"],
  service: ["service"],
  report: ["report"],
  all: Object.keys(SUITES).filter((name) => name !== "engine-turn"),
};

/** A suite's files: all of them, or with GOFLEET_SAMPLE=<commit> those of that commit's turn. */
function sample(suite, folder = suite) {
  const rest = leftOut(suite);
  const files = readdirSync(`test/${folder}`).filter((name) => name.endsWith(".test.ts"));
  return files.filter((name) => !rest.includes(name.replace(".test.ts", ""))).map((name) => `test/${folder}/${name}`);
}

function leftOut(suite) {
  const commit = process.env["GOFLEET_SAMPLE"];
  if (commit === undefined) return [];
  const number = Number.parseInt(commit.slice(0, 8), 16);
  const sampled = SAMPLED[suite] ?? [];
  const turns = Math.min(TURNS, sampled.length);
  const emulated = EMULATED.filter((_, index) => index !== number % EMULATED.length);
  return [
    ...sampled.filter((_, index) => index % turns !== number % turns),
    ...emulated.filter((file) => file.startsWith(`${suite}/`)).map((file) => file.slice(suite.length + 1)),
  ];
}

const asked = process.argv.slice(2);
const names = (asked.length === 0 ? ["default"] : asked).flatMap((name) => GROUPS[name] ?? [name]);
const unknown = names.find((name) => SUITES[name] === undefined);
if (unknown !== undefined) {
  console.error(`no suite "${unknown}"; one of ${[...Object.keys(SUITES), "all"].join(", ")}`);
  process.exit(2);
}

if (!existsSync("node_modules/mocha")) run(["npm", "ci", "--no-audit", "--no-fund"]) || process.exit(1);
run([node, "scripts/build.mjs"]) || process.exit(1);

const scratch = mkdtempSync(join(tmpdir(), "gofleet-test-"));
const totals = { passed: 0, failed: 0, skipped: 0 };
const skips = [];
const failures = [];
const rows = [];
const engine = names.includes("engine") ? prepareEngine() : undefined;
for (const name of names) {
  const began = Date.now();
  console.log(`\n=== ${name}`);
  if (leftOut(name).length > 0) console.log(`another commit's turn: ${leftOut(name).join(", ")}`);
  if (name === "engine") await engine?.();
  const good = SUITES[name].map((command, index) =>
    suiteCommand(name, command, join(scratch, `${name}-${index}.json`)),
  );
  rows.push(
    `${good.every(Boolean) ? "ok    " : "FAILED"} ${name.padEnd(8)} ${((Date.now() - began) / 60000).toFixed(1)} min`,
  );
}
rmSync(scratch, { recursive: true, force: true });

const allowed = readFileSync("test/allowed-skips.txt", "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const surprising = skips.filter((skip) => !allowed.some((prefix) => skip.startsWith(prefix)));
console.log(`\n${rows.join("\n")}`);
for (const skip of skips) console.log(`skipped: ${skip}`);
for (const failure of failures) console.log(`failed: ${failure}`);
// A run of many commands says at its end what failed in any of them.
const collected = process.env["GOFLEET_TEST_FAILURES"];
if (collected !== undefined) appendFileSync(collected, failures.map((failure) => `${failure}\n`).join(""));
if (process.env["CI"] !== undefined && surprising.length > 0) {
  console.log(`\nnot on test/allowed-skips.txt:\n  ${surprising.join("\n  ")}`);
  totals.failed += surprising.length;
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);

/**
 * Looks for the engine, which may mean to build it, beside the suites that need none.
 * @returns what waits for it and prints what it said; where it failed, the tests say why
 */
function prepareEngine() {
  const log = join(scratch, "engine.log");
  const file = openSync(log, "w");
  const child = spawn(node, ["--import", "tsx", "scripts/engine.ts"], { stdio: ["ignore", file, file] });
  const ended = once(child, "exit");
  return async () => {
    await ended;
    process.stdout.write(readFileSync(log, "utf8"));
  };
}

function suiteCommand(name, command, report) {
  const good = run(command, { GOFLEET_TEST_REPORT: report });
  if (!command.includes("test/support/reporter.cjs")) {
    totals[good ? "passed" : "failed"] += 1;
    if (!good) failures.push(`${name}: ${basename(command[1])}`);
    return good;
  }
  if (!existsSync(report)) {
    failures.push(`${name}: mocha did not finish`);
    totals.failed += 1;
    return false;
  }
  const { passed, failed, skipped } = JSON.parse(readFileSync(report, "utf8"));
  totals.passed += passed;
  totals.failed += failed.length + (good || failed.length > 0 ? 0 : 1);
  failures.push(...failed);
  totals.skipped += skipped.length;
  skips.push(...skipped);
  if (passed === 0 && skipped.length === 0) {
    failures.push(`${name}: no test ran`);
    totals.failed += 1;
  }
  return good;
}

function run([program, ...args], env = {}) {
  return spawnSync(program, args, { stdio: "inherit", env: { ...process.env, ...env } }).status === 0;
}
