import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFields, type Fields } from "../model/check";
import { firstLine, jsonObjects, why } from "./go-answers";
import { modSum, type WantedVersion } from "./mirror-sums";

/** A version in the module cache, checked against go.sum. */
export interface CachedVersion {
  readonly path: string;
  readonly version: string;
  readonly zipSum?: string;
  readonly modSum: string;
  /** Files in the module cache. */
  readonly files: readonly string[];
}

/** What could be had, and why the rest could not. */
export interface Fetched {
  readonly versions: readonly CachedVersion[];
  readonly problems: readonly string[];
}

/** So many names stay far below the longest command line. */
const BATCH = 200;

/** A slow line must be able to bring a batch. */
const TIMEOUT = 60 * 60_000;

/**
 * Brings versions into the module cache with the go command, so by this machine's own GOPROXY, GOPRIVATE, GOAUTH and
 * netrc, and compares each with go.sum. Versions that go.sum needs for their go.mod alone come without a zip.
 *
 * @param progress told how many of the versions are there
 */
export async function fetchModules(
  wanted: readonly WantedVersion[],
  progress: (done: number) => void = () => {},
): Promise<Fetched> {
  const whole = wanted.filter(({ zip }) => zip !== undefined);
  const modOnly = wanted.filter(({ zip }) => zip === undefined);
  const versions: CachedVersion[] = [];
  const problems: string[] = [];
  const jobs = [
    ...batches(whole).map((batch) => ({ batch, verb: ["mod", "download", "-json"] })),
    ...batches(modOnly).map((batch) => ({ batch, verb: ["list", "-m", "-e", "-json"] })),
  ];
  let done = 0;
  for (const { batch, verb } of jobs) {
    const { stdout, problem } = await go([...verb, ...batch.map(nameOf)]);
    const answers = jsonObjects(stdout);
    for (const version of batch) {
      const answer = answers.find((each) => each.Path === version.path && each.Version === version.version);
      const found = cached(version, answer, problem);
      if (typeof found === "string") problems.push(`${nameOf(version)}: ${found}`);
      else versions.push(found);
    }
    done += batch.length;
    progress(done);
  }
  return { versions, problems };
}

/** The module cache's download directory, with which the names of a bundle's files begin. */
export async function downloadDirectory(): Promise<string> {
  const { stdout, problem } = await go(["env", "GOMODCACHE"]);
  if (problem !== undefined) throw new Error(problem);
  return join(stdout.trim(), "cache", "download");
}

function cached(
  wanted: WantedVersion,
  answer: Fields | undefined,
  problem: string | undefined,
): CachedVersion | string {
  const error = isFields(answer?.Error) ? answer.Error.Err : answer?.Error;
  if (typeof error === "string") return firstLine(error);
  const { GoMod: mod, Zip: zip, Sum: sum } = answer ?? {};
  if (typeof mod !== "string" || (wanted.zip !== undefined && typeof zip !== "string")) {
    return problem ?? "the go command did not say where it is";
  }
  const found = modSum(readFileSync(mod));
  if (wanted.mod !== undefined && wanted.mod !== found) return `its go.mod is ${found}, go.sum has ${wanted.mod}`;
  if (wanted.zip !== undefined && wanted.zip !== sum) return `it is ${String(sum)}, go.sum has ${wanted.zip}`;
  const info = mod.replace(/\.mod$/, ".info");
  return {
    path: wanted.path,
    version: wanted.version,
    zipSum: wanted.zip,
    modSum: found,
    files: [...(existsSync(info) ? [info] : []), mod, ...(wanted.zip !== undefined ? [String(zip)] : [])],
  };
}

function nameOf({ path, version }: WantedVersion): string {
  return `${path}@${version}`;
}

function batches<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, n) => all.slice(n * BATCH, (n + 1) * BATCH));
}

async function go(args: readonly string[]): Promise<{ readonly stdout: string; readonly problem?: string }> {
  // An empty directory: no go.mod of the project may change what is asked for.
  const cwd = mkdtempSync(join(tmpdir(), "gofleet-bundle-"));
  const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod", GOWORK: "off" };
  try {
    return await new Promise((resolve) => {
      execFile("go", args, { cwd, env, timeout: TIMEOUT, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
        resolve(error ? { stdout, problem: why(error, stderr, TIMEOUT) } : { stdout });
      });
    });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
