import { compareGoVersions, isGoMajor, majorOf } from "../model/go-version";
import type { Platform } from "../model/platform";
import type { Checksums } from "../model/toolchain";
import type { GoCommand } from "./go-command";
import type { ReleaseIndex } from "./release-index";

/** Where checksums come from; what is out of reach is absent. */
export interface Sources {
  readonly index: ReleaseIndex | undefined;
  readonly go: Pick<GoCommand, "checksums" | "releases"> | undefined;
}

/** A release and what could be had of it, by platform. */
export interface Found {
  readonly version: string;
  readonly checksums: ReadonlyMap<Platform, Checksums>;
}

/**
 * Finds a release: the exact one, or of a major the newest that has a checksum on every platform, else the newest that
 * has any. Undefined when nothing can be had.
 */
export async function findRelease(
  wanted: string,
  platforms: readonly Platform[],
  sources: Sources,
  note: (message: string) => void,
): Promise<Found | undefined> {
  const candidates = isGoMajor(wanted) ? await releasesOf(wanted, sources) : [wanted];
  let partial: Found | undefined;
  for (const version of candidates) {
    const found = await checksumsOf(version, platforms, sources, note);
    if (found.checksums.size === platforms.length) return found;
    if (found.checksums.size === 0) continue;
    partial ??= found;
    if (candidates.length > 1) note(`go${version}: not for every platform, looking for an older one`);
  }
  return partial;
}

/** Releases of a major, newest first; pre-releases are only ever taken by their exact name. */
async function releasesOf(major: string, { index, go }: Sources): Promise<readonly string[]> {
  const published = [...(index?.keys() ?? [])].filter((each) => majorOf(each) === major && !/[a-z]/.test(each));
  const versions = new Set([...published, ...((await go?.releases(major)) ?? [])]);
  return [...versions].sort((a, b) => compareGoVersions(b, a));
}

async function checksumsOf(
  version: string,
  platforms: readonly Platform[],
  { index, go }: Sources,
  note: (message: string) => void,
): Promise<Found> {
  const modules = await go?.checksums(version, platforms);
  const checksums = new Map<Platform, Checksums>();
  for (const platform of platforms) {
    const sha256 = index?.get(version)?.get(platform);
    const h1 = modules?.get(platform);
    if (index && !sha256) note(`go${version} ${platform}: the release index has no archive`);
    if (h1?.problem) note(`go${version} ${platform}: ${h1.problem}`);
    if (sha256 ?? h1?.value) checksums.set(platform, { ...(sha256 && { sha256 }), ...(h1?.value && { h1: h1.value }) });
  }
  return { version, checksums };
}
