// The engine suite on the newest SDK within the peer range, the newest CLI and the newest Node that can be had here.
// Runs in a copy of the checkout with dependencies of its own. What is fetched and built is kept in the user's cache, by
// versions: the first run takes some minutes more. Usage: node --import tsx scripts/newest
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";

import { cacheDir, fillOnce } from "../../src/engine/cache";
import { lockedReleases } from "../../src/engine/locked";
import type { FindOptions } from "../../src/engine/options";
import { run } from "../../src/engine/run";
import { buildCli, newestCli } from "./cli";
import { published } from "./versions";

const SDK = "@pulumi/pulumi";
/** The npm packages that hold the binaries of Node, see https://www.npmjs.com/package/node. */
const NODE = `node-${process.platform}-${process.arch}`;
const INSTALL = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
/** What npm installs by, and writes when it installs another version. */
const LOCKED = ["package.json", "package-lock.json"];
/** Not the sources of a checkout. */
const LEFT_OUT = [".git", ".gofleet", "dist", "node_modules"];

const root = join(__dirname, "..", "..");
const env = process.env;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};
let said = "";
const options: FindOptions = {
  env,
  projectDir: root,
  progress: (text) => {
    const [step = ""] = text.split(": ");
    if (step !== said) process.stderr.write(`newest: ${step}\n`);
    said = step;
  },
  releases: lockedReleases(root),
};
const cache = join(cacheDir(env, root), "newest");

async function main(): Promise<number> {
  const sdks = await published(SDK, manifest.peerDependencies[SDK] ?? "*");
  const [sdk = ""] = sdks;
  const needs = await run("npm", ["view", `${SDK}@${sdk}`, "engines.node"], { env });
  const [node = ""] = await published(NODE, needs.trim());

  const nodeBin = await nodeDir(node);
  const cliBin = await cliDir(sdk, sdks);
  const modules = await modulesDir(sdk);

  const checkout = mkdtempSync(join(tmpdir(), "gofleet-newest-"));
  try {
    cpSync(root, checkout, { recursive: true, filter: (path) => !LEFT_OUT.includes(relative(root, path)) });
    // The lock file as well: `npm start`, which is tested too, installs again what differs from it.
    for (const name of [...LOCKED, "node_modules"]) {
      await run("cp", ["-a", "--reflink=auto", join(modules, name), checkout], { env });
    }
    const command = join(nodeBin, "node");
    const cli = (await run(join(cliBin, "pulumi"), ["version"], { env })).trim();
    console.log(`\nNode ${node}, ${SDK} ${sdk}, Pulumi CLI ${cli}`);
    const path = [nodeBin, cliBin, env["PATH"]].join(delimiter);
    const settings = { cwd: checkout, stdio: "inherit", env: { ...env, PATH: path } } as const;
    return spawnSync(command, [join("scripts", "test.mjs"), "engine-turn"], settings).status ?? 1;
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

async function nodeDir(version: string): Promise<string> {
  const dir = join(cache, `node-${version}`);
  const bin = join("node_modules", NODE, "bin");
  await kept(dir, join(bin, "node"), async (staging) => {
    options.progress(`fetching Node ${version}`);
    await run("npm", [...INSTALL, "--prefix", staging, `${NODE}@${version}`], { env, cwd: staging });
  });
  return join(dir, bin);
}

/** The CLI is of the SDK's version, or of the next older one that can be had; which one is kept for that SDK. */
async function cliDir(sdk: string, candidates: readonly string[]): Promise<string> {
  const chosen = join(cache, `cli-for-sdk-${sdk}`);
  const file = "version";
  await kept(chosen, file, async (staging) => writeFileSync(join(staging, file), await newestCli(candidates, options)));
  const version = readFileSync(join(chosen, file), "utf8");
  const dir = join(cache, `cli-${version}`);
  await kept(dir, join("bin", "pulumi"), (staging) => buildCli(version, staging, options));
  return join(dir, "bin");
}

/** The checkout's dependencies as locked, but for the SDK. */
async function modulesDir(sdk: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of LOCKED) hash.update(readFileSync(join(root, file)));
  const dir = join(cache, `modules-${sdk}-${hash.digest("hex").slice(0, 12)}`);
  await kept(dir, join("node_modules", SDK, "package.json"), async (staging) => {
    options.progress(`installing with ${SDK} ${sdk}`);
    for (const file of LOCKED) cpSync(join(root, file), join(staging, file));
    await run("npm", [...INSTALL, "--save-dev", "--save-exact", `${SDK}@${sdk}`], { env, cwd: staging });
  });
  return dir;
}

function kept(dir: string, proof: string, fill: (staging: string) => Promise<void>): Promise<void> {
  return fillOnce(dir, () => existsSync(join(dir, proof)), options.progress, fill);
}

// Ctrl-C reaches the suite too, which ends; this process then removes the copy.
process.on("SIGINT", () => undefined);
main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
