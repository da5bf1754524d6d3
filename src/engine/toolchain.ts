import { homedir } from "node:os";
import { join } from "node:path";

import { compareGoVersions } from "../model/go-version";
import { isPlatform, type Platform } from "../model/platform";
import { cacheDir, fillOnce } from "./cache";
import { fetchToolchain, placesOf } from "./fetch-toolchain";
import type { FindOptions } from "./options";
import { goProxies } from "./go-proxy";
import { executable, which } from "./launcher";
import { CommandFailed, run } from "./run";
import { messageOf } from "../model/thrown";

/** A Go that can be run. */
export interface Go {
  readonly command: string;
  /** Set where the tree was fetched by us; undefined where an installed Go knows its own. */
  readonly goRoot?: string;
}

/**
 * Finds a Go of at least `version`: on PATH, at Go's own install places, in the cache; else fetches the newest locked
 * release that can be had here, and verifies it.
 *
 * @throws {Error} saying which were seen and why none could be fetched.
 */
export async function findGo(version: string, options: FindOptions): Promise<Go> {
  return goThat((found) => compareGoVersions(found, version) >= 0, `Go ${version} or newer`, options);
}

/**
 * Finds this release of Go and no other, in the same places.
 *
 * @throws {Error} saying which were seen and why it could not be fetched.
 */
export async function exactGo(version: string, options: FindOptions): Promise<Go> {
  return goThat((found) => found === version, `Go ${version} exactly`, options);
}

async function goThat(fits: (version: string) => boolean, wanted: string, options: FindOptions): Promise<Go> {
  const seen: string[] = [];
  for (const command of new Set([which("go", options.env["PATH"]), ...INSTALLED])) {
    if (!command || !executable(command)) continue;
    const found = await installedVersion(command, options);
    if (found && fits(found)) return { command };
    seen.push(`${command} is Go ${found ?? "of an unknown version"}`);
  }
  try {
    return await lockedGo(fits, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const why = `${wanted} is needed to build it (${seen.join("; ") || "no go on PATH"})`;
    throw new Error(`${why}, and none could be fetched: ${messageOf(error)}`);
  }
}

/** Where Go's own installers put it. */
const INSTALLED = ["/usr/local/go/bin/go", join(homedir(), "sdk", "go", "bin", "go")];

async function lockedGo(fits: (version: string) => boolean, options: FindOptions): Promise<Go> {
  const platform = platformOf(process);
  if (!platform) throw new Error(`no Go is locked for ${process.platform} on ${process.arch}`);
  const proxies = await goProxies(options.env);
  const [newest] = options.releases
    .filter(({ version }) => fits(version))
    .map((release) => ({ release, places: placesOf(release, platform, proxies) }))
    .filter(({ places }) => places.length > 0)
    .sort((a, b) => compareGoVersions(b.release.version, a.release.version));
  if (!newest) throw new Error("the lock file has no such Go with a checksum for what GOPROXY allows");

  const { release, places } = newest;
  const goRoot = join(cacheDir(options.env, options.projectDir), "go", `go${release.version}.${platform}`);
  const command = join(goRoot, "bin", "go");
  const fetched = (staging: string) => fetchToolchain(release, platform, places, staging, options);
  await fillOnce(goRoot, () => executable(command), options.progress, fetched);
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
    return /^go(\d+\.\d+(\.\d+|rc\d+)?)/.exec(answer)?.[1];
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
