import { homedir } from "node:os";
import { join } from "node:path";

import { compareGoVersions } from "../model/go-version";
import { isPlatform, type Platform } from "../model/platform";
import { cacheDir, fillOnce } from "./cache";
import { fetchToolchain } from "./fetch-toolchain";
import type { FindOptions } from "./find";
import { executable, which } from "./launcher";
import { CommandFailed, run } from "./run";

/** A Go that can be run. */
export interface Go {
  readonly command: string;
  /** Set where the tree was fetched by us; undefined where an installed Go knows its own. */
  readonly goRoot?: string;
}

/**
 * Finds a Go of at least `version`: on PATH, at Go's own install place, in the cache; else fetches the newest of the
 * locked releases and verifies it.
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
  const platform = platformOf(process);
  const fitting = options.releases.filter(
    (each) => platform && each.checksums[platform] && compareGoVersions(each.version, version) >= 0,
  );
  const newest = [...fitting].sort((a, b) => compareGoVersions(b.version, a.version))[0];
  const why = `Go ${version} or newer is needed to build it (${seen.join("; ") || "no go on PATH"})`;
  if (!newest || !platform) {
    throw new Error(`${why}, and the lock file has none for ${process.platform}, ${process.arch}`);
  }

  const goRoot = join(cacheDir(options.env, options.projectDir), "go", `go${newest.version}.${platform}`);
  const command = join(goRoot, "bin", "go");
  try {
    await fillOnce(
      goRoot,
      () => executable(command),
      options.progress,
      (staging) => fetchToolchain(newest, platform, staging, options),
    );
  } catch (error) {
    throw new Error(
      `${why}, and Go ${newest.version} could not be fetched: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return { command, goRoot };
}

/** The platform of this process as the lock file names it; undefined where no Go is locked for it. */
export function platformOf({ platform, arch }: Pick<NodeJS.Process, "platform" | "arch">): Platform | undefined {
  const name = `${platform}-${arch === "x64" ? "amd64" : arch}`;
  return isPlatform(name) ? name : undefined;
}

async function installedVersion(command: string, { env, signal }: FindOptions): Promise<string | undefined> {
  try {
    const answer = await run(command, ["env", "GOVERSION"], { env: { ...env, GOTOOLCHAIN: "local" }, signal });
    return /^go(\d+\.\d+(\.\d+)?)/.exec(answer)?.[1];
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
