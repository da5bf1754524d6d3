import { homedir } from "node:os";
import { join } from "node:path";

import { compareGoVersions } from "../model/go-version";
import { cacheDir, fillOnce } from "./cache";
import { fetchToolchain } from "./fetch-toolchain";
import type { FindOptions } from "./find";
import { executable, which } from "./launcher";
import { CommandFailed, run } from "./run";

/** A Go toolchain for one platform whose checksums are known. */
export interface ToolchainSource {
  /** Exact version: `1.26.8`. */
  readonly version: string;
  /** Platform as Go writes it: `linux-amd64`. */
  readonly platform: string;
  /** Checksum of the module zip: `h1:` and the base64 of a sha256. */
  readonly h1?: string;
  /** sha256 of the official `.tar.gz`, hex. */
  readonly sha256?: string;
}

/** A Go that can be run. */
export interface Go {
  readonly command: string;
  /** Set where the tree was fetched by us; undefined where an installed Go knows its own. */
  readonly goRoot?: string;
}

/**
 * Finds a Go of at least `version`: on PATH, at Go's own install place, in the cache; else fetches the newest of the
 * given toolchains and verifies it.
 *
 * @throws {Error} saying which were seen and why none could be fetched.
 */
export async function findGo(version: string, options: FindOptions): Promise<Go> {
  const seen: string[] = [];
  const installed = [
    which("go", options.env["PATH"]),
    "/usr/local/go/bin/go",
    join(homedir(), "sdk", "go", "bin", "go"),
  ];
  for (const command of new Set(installed)) {
    if (!command || !executable(command)) continue;
    const found = await installedVersion(command, options);
    if (found && compareGoVersions(found, version) >= 0) return { command };
    seen.push(`${command} is Go ${found ?? "of an unknown version"}`);
  }
  const platform = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`;
  const fitting = options.toolchains.filter(
    (each) => each.platform === platform && compareGoVersions(each.version, version) >= 0,
  );
  const newest = [...fitting].sort((a, b) => compareGoVersions(b.version, a.version))[0];
  const why = `Go ${version} or newer is needed to build it (${seen.join("; ") || "no go on PATH"})`;
  if (!newest) throw new Error(`${why}, and the lock file has no such Go for ${platform}`);

  const goRoot = join(cacheDir(options.env, options.projectDir), "go", `go${newest.version}.${platform}`);
  const command = join(goRoot, "bin", "go");
  try {
    await fillOnce(
      goRoot,
      () => executable(command),
      options.progress,
      (staging) => fetchToolchain(newest, staging, options),
    );
  } catch (error) {
    throw new Error(
      `${why}, and Go ${newest.version} could not be fetched: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return { command, goRoot };
}

const ARCHITECTURES: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: "amd64", arm64: "arm64" };

async function installedVersion(command: string, { env, signal }: FindOptions): Promise<string | undefined> {
  try {
    const answer = await run(command, ["env", "GOVERSION"], { env: { ...env, GOTOOLCHAIN: "local" }, signal });
    return /^go(\d+\.\d+(\.\d+)?)/.exec(answer)?.[1];
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
