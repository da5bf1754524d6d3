import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDir, fillOnce } from "../../src/engine/cache";
import { run } from "../../src/engine/run";
import { NEWEST_ATHENS } from "../../src/model/mirror/athens-versions";
import { machineGo, temporaryDirectory } from "./go";

const REPOSITORY = join(__dirname, "..", "..");
const PROBE = join(__dirname, "athens-probe", "main.go");

/** Minutes in which a machine of two cores builds it from nothing, several times over. */
const LIMIT = 15;

/** The programs made from Athens' module, each with the package it is built from. */
const PACKAGES = { athens: "./cmd/proxy", "athens-probe": "./cmd/athens-probe" };

type Program = keyof typeof PACKAGES;

const made = new Map<Program, Promise<string>>();

/**
 * Path of a real Athens, built from its Go module once per machine into the user's cache folder. The module brings its
 * own `go.sum`, so what it is built from is checked. Throws where there is no go command.
 */
export function athensBinary(): Promise<string> {
  return program("athens");
}

/** Path of test/support/athens-probe, which says what Athens' own packages understand of its files. */
export function athensProbe(): Promise<string> {
  return program("athens-probe");
}

function program(name: Program): Promise<string> {
  const path = made.get(name) ?? make(name);
  made.set(name, path);
  return path;
}

async function make(name: Program): Promise<string> {
  const go = machineGo();
  if (!go) throw new Error("building Athens needs a go command");
  const version = `${NEWEST_ATHENS}-go${go.version}`;
  const source = name === "athens-probe" ? `-${digest(readFileSync(PROBE))}` : "";
  const folder = join(cacheDir(process.env, REPOSITORY), name, `${version}${source}`);
  const binary = join(folder, name);
  const say = (text: string) => process.stderr.write(`${name} ${NEWEST_ATHENS}: ${text}\n`);
  await fillOnce(
    folder,
    () => statSync(binary, { throwIfNoEntry: false })?.isFile() ?? false,
    say,
    async (staging) => {
      say("building it from Athens' Go module, once per machine: some minutes");
      await compile(join(go.root, "bin", "go"), name, staging);
    },
  );
  return binary;
}

async function compile(go: string, name: Program, staging: string): Promise<void> {
  const env = { ...process.env, GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
  const cwd = join(staging, "source");
  // A copy that can be added to; the module cache is read-only, and go builds nothing beside it there.
  copyTree((await athensModule(go)).directory, cwd);
  copyTree(dirname(PROBE), join(cwd, "cmd", "athens-probe"));
  const args = [
    "build",
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    "-s -w",
    "-o",
    join(staging, name),
    PACKAGES[name],
  ];
  await run(go, args, { cwd, env, timeout: LIMIT * 60_000 });
  rmSync(cwd, { recursive: true });
}

function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTree(source, target);
    else writeFileSync(target, readFileSync(source));
  }
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 12);
}

/** Athens' module in the user's module cache, checked as any module is. */
export interface AthensModule {
  readonly directory: string;
  /** Its `h1:`. */
  readonly sum: string;
}

export async function athensModule(go = join(machineGo()?.root ?? "", "bin", "go")): Promise<AthensModule> {
  const env = { ...process.env, GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" };
  const cwd = temporaryDirectory();
  try {
    const args = ["mod", "download", "-json", `github.com/gomods/athens@v${NEWEST_ATHENS}`];
    const answer = await run(go, args, { cwd, env, timeout: LIMIT * 60_000 });
    const { Dir, Sum } = JSON.parse(answer) as { Dir: string; Sum: string };
    return { directory: Dir, sum: Sum };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
