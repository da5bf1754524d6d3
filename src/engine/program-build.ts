import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

import type { Platform } from "../model/platform";
import { archOf } from "../model/service/release";
import type { ProgramBuild } from "../model/service/release-build";
import { SOURCE_OF_MODULES } from "../plan/recipe";
import { cacheDir } from "./cache";
import type { FindOptions } from "./options";
import { run } from "./run";
import { exactGo, findGo, type Go } from "./toolchain";

/** One platform's program. */
export interface BuiltProgram {
  readonly platform: Platform;
  /** Absolute path, below the cache directory and the sha256 of its bytes. */
  readonly file: string;
}

const DAY = 24 * 60 * 60 * 1000;
/** A program that nothing asked for in this time is not kept; it can be built again. */
const KEPT = 30 * DAY;

/**
 * Builds a program for each of its platforms. The same sources, settings and Go make the same bytes, whoever builds
 * them and where: no path, no setting of the caller but where modules come from, and no C compiler is part of it. Nothing
 * is written but Go's own caches and gofleet's.
 *
 * @param name the file's name
 * @throws {Error} with the last lines of what go said.
 */
export async function buildPrograms(build: ProgramBuild, name: string, options: FindOptions): Promise<BuiltProgram[]> {
  const directory = resolve(options.projectDir, build.directory ?? ".");
  if (!existsSync(directory)) throw new Error(`there is no directory ${directory}`);
  const go = build.go === undefined ? await findGo(neededGo(directory), options) : await exactGo(build.go, options);
  const sources = await moduleSources(go, directory, options);
  const cache = join(cacheDir(options.env, options.projectDir), "programs");
  mkdirSync(cache, { recursive: true });
  await prune(cache);
  const built: BuiltProgram[] = [];
  for (const platform of build.platforms ?? (["linux-amd64"] as const)) {
    const staging = mkdtempSync(join(cache, "part-"));
    try {
      const output = join(staging, name);
      const env = buildEnvironment(go, platform, sources, options.env);
      const args = ["build", ...buildFlags(build), "-o", output, build.package];
      await run(go.command, args, { cwd: directory, env, signal: options.signal });
      built.push({ platform, file: await store(staging, name, cache) });
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }
  return built;
}

/** The oldest Go that the module asks for, by its `toolchain` line, else its `go` line. See https://go.dev/doc/toolchain. */
function neededGo(directory: string): string {
  for (let at = directory; ; at = dirname(at)) {
    const file = join(at, "go.mod");
    if (existsSync(file)) {
      const text = readFileSync(file, "utf8");
      const version = /^toolchain go(\S+)/m.exec(text)?.[1] ?? /^go (\S+)/m.exec(text)?.[1] ?? "1.21.0";
      return /^\d+\.\d+$/.test(version) ? `${version}.0` : version;
    }
    if (at === dirname(at)) throw new Error(`there is no go.mod in ${directory} or above`);
  }
}

/** Settings of the caller's Go that say where modules come from and where they are cached. */
async function moduleSources({ command, goRoot }: Go, cwd: string, options: FindOptions): Promise<NodeJS.ProcessEnv> {
  const env = { ...options.env, ...(goRoot === undefined ? {} : { GOROOT: goRoot }), GOTOOLCHAIN: "local" };
  const asked = JSON.parse(await run(command, ["env", "-json"], { cwd, env, signal: options.signal })) as object;
  const caches = ["GOPATH", "GOMODCACHE", "GOCACHE"];
  const kept = Object.entries(asked as Record<string, string>).filter(
    ([key]) => SOURCE_OF_MODULES.test(key) || caches.includes(key),
  );
  return Object.fromEntries(kept);
}

/** No variable of Go's or cgo's is the caller's, in the environment or in the file that `go env -w` writes. */
function buildEnvironment(
  { goRoot }: Go,
  platform: Platform,
  sources: NodeJS.ProcessEnv,
  given: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const plain = Object.entries(given).filter(([key]) => !/^(GO|CGO_)[A-Z0-9_]*$/.test(key));
  return {
    ...Object.fromEntries(plain),
    ...sources,
    ...(goRoot === undefined ? {} : { GOROOT: goRoot }),
    GOOS: "linux",
    GOARCH: archOf(platform),
    CGO_ENABLED: "0",
    GOENV: "off",
    GOTOOLCHAIN: "local",
    // An empty one would let the tree's own go.env have its say.
    GOFLAGS: "-trimpath",
  };
}

function buildFlags({ tags, ldflags, vcs }: ProgramBuild): string[] {
  return [
    "-trimpath",
    ...(vcs === undefined ? [] : [`-buildvcs=${String(vcs)}`]),
    ...(tags === undefined ? [] : [`-tags=${tags.join(",")}`]),
    ...(ldflags === undefined || ldflags.length === 0 ? [] : [`-ldflags=${ldflags.map(quoted).join(" ")}`]),
  ];
}

/** As the go command splits a list of flags: blanks part, and quotes of one kind go around a word. */
function quoted(word: string): string {
  if (!/[\s'"]/.test(word)) return word;
  return word.includes("'") ? `"${word}"` : `'${word}'`;
}

/** Below the digest of its content, so that a program that is there is never written again. */
async function store(staging: string, name: string, cache: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(staging, name)), hash);
  const final = join(cache, hash.digest("hex"));
  const file = join(final, name);
  try {
    if (!existsSync(file)) renameSync(staging, final);
  } catch (error) {
    // Another run has just made the same.
    if (!existsSync(file)) throw error;
  }
  const now = new Date();
  utimesSync(final, now, now);
  return file;
}

async function prune(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    // Another run may have removed or named it since.
    const mtimeMs = await stat(path).then((found) => found.mtimeMs, Date.now);
    if (Date.now() - mtimeMs > (name.startsWith("part-") ? DAY : KEPT)) rmSync(path, { recursive: true, force: true });
  }
}
