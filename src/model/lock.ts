import { at, isFields, issuesOf, unknownKeys } from "./check";
import { parseH1, parseSha256 } from "./checksum";
import { compareGoVersions, isGoMajor, isGoVersion, majorOf, type GoVersion } from "./go-version";
import { describe, issue, type Issue } from "./issues";
import { isPlatform, PLATFORMS, platformName, type Platform } from "./platform";
import { messageOf } from "./thrown";
import type { Checksums, GoRelease } from "./toolchain";

/** The lock file's name, looked for in a project's directory and those above it. */
export const LOCK_FILE = "gofleet.lock.json";

/** What a lock file holds: for each exact version, the checksums of each platform. */
export interface Lock {
  readonly version: 1;
  readonly go: { readonly [version: string]: GoRelease["checksums"] };
}

export const EMPTY_LOCK: Lock = { version: 1, go: {} };

/** Reads a lock file's text; throws an error that names every fault with its path in the file. */
export function parseLock(text: string, file = LOCK_FILE): Lock {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON: ${messageOf(error)}`);
  }
  const issues = checkLock(given);
  if (issues.length > 0 || !isLock(given)) {
    throw new Error(`${file} is not a lock file that gofleet lock wrote:\n${describe(issues)}`);
  }
  return given;
}

/** The file's text: versions oldest first, platforms and checksums sorted, a final newline. */
export function formatLock(lock: Lock): string {
  const go = Object.keys(lock.go)
    .sort(compareGoVersions)
    .map((version) => [version, sorted(lock.go[version] ?? {})] as const);
  return `${JSON.stringify({ version: 1, go: Object.fromEntries(go) }, undefined, 2)}\n`;
}

/** The lock with one more platform of a version; other checksums of the same platform are kept. */
export function withChecksums(lock: Lock, version: string, platform: Platform, sums: Checksums): Lock {
  const known = lock.go[version] ?? {};
  return { version: 1, go: { ...lock.go, [version]: { ...known, [platform]: { ...known[platform], ...sums } } } };
}

/**
 * The locked release for an exact version, or the newest one of a major such as `1.26` (a pre-release only where
 * nothing else is locked). Throws with the command to run when there is none.
 */
export function releaseFrom(lock: Lock, wanted: string, file = LOCK_FILE): GoRelease {
  const version = newestLocked(Object.keys(lock.go), wanted);
  const checksums = version && lock.go[version];
  if (checksums) return { version, checksums };
  const problem = issue("version", wanted, 'a version such as "1.26" or "1.26.8"');
  if (!isGoMajor(wanted) && !isGoVersion(wanted)) throw new Error(`lock: ${describe([problem])}`);
  throw new Error(`Go ${wanted} is not in ${file}; write it with: npx gofleet lock ${wanted}`);
}

function newestLocked(versions: readonly string[], wanted: string): GoVersion | undefined {
  const fitting = versions
    .filter(isGoVersion)
    .filter((each) => each === wanted || majorOf(each) === wanted)
    .sort(compareGoVersions);
  return fitting.filter((each) => !/[a-z]/.test(each)).at(-1) ?? fitting.at(-1);
}

function isLock(given: unknown): given is Lock {
  return checkLock(given).length === 0;
}

function checkLock(given: unknown): Issue[] {
  if (!isFields(given)) return [issue("", given, '{ "version": 1, "go": { … } }')];
  if (given.version !== 1) return [issue("version", given.version, "1; a newer gofleet may have written it")];
  if (!isFields(given.go)) return [issue("go", given.go, "releases by exact version"), ...unknownLockKeys(given)];
  const releases = Object.entries(given.go).flatMap(([version, platforms]) => {
    const path = at("go", version);
    if (!isGoVersion(version)) return [issue(path, platforms, 'an exact version such as "1.26.8" as the key')];
    if (!isFields(platforms)) return [issue(path, platforms, `checksums by platform, ${PLATFORMS.join(" or ")}`)];
    return Object.entries(platforms).flatMap(([platform, sums]) => checkSums(at(path, platform), platform, sums));
  });
  return [...releases, ...unknownLockKeys(given)];
}

function unknownLockKeys(given: Readonly<Record<string, unknown>>): Issue[] {
  return unknownKeys("", given, ["version", "go"]);
}

function checkSums(path: string, platform: string, sums: unknown): Issue[] {
  if (!isPlatform(platform)) return [issue(path, sums, platformName(platform))];
  if (!isFields(sums)) return [issue(path, sums, "sha256, h1 or both")];
  return [
    ...(sums.sha256 === undefined ? [] : issuesOf(parseSha256(at(path, "sha256"), sums.sha256))),
    ...(sums.h1 === undefined ? [] : issuesOf(parseH1(at(path, "h1"), sums.h1))),
    ...(sums.sha256 === undefined && sums.h1 === undefined ? [issue(path, sums, "sha256, h1 or both")] : []),
    ...unknownKeys(path, sums, ["sha256", "h1"]),
  ];
}

function sorted(checksums: GoRelease["checksums"]): GoRelease["checksums"] {
  const entries = PLATFORMS.flatMap((platform) => {
    const sums = checksums[platform];
    if (!sums) return [];
    const { h1, sha256 } = sums;
    return [[platform, { ...(h1 === undefined ? {} : { h1 }), ...(sha256 === undefined ? {} : { sha256 }) }] as const];
  });
  return Object.fromEntries(entries);
}
