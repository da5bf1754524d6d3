import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LOCK_FILE, parseLock, releaseFrom } from "./lock";
import type { GoRelease } from "./toolchain";

/**
 * A Go release with the checksums that `gofleet lock` wrote down: `lock("1.26")` is the newest locked 1.26 release,
 * `lock("1.26.8")` exactly that one. Changing the lock file is how a fleet changes its Go.
 *
 * @param version a major such as `1.26`, or an exact version
 * @param file the lock file; by default `gofleet.lock.json` in the working directory or the nearest one above it
 * @throws an Error with the command to run, when the file or the version is missing
 */
export function lock(version: string, file?: string): GoRelease {
  const found = file === undefined ? findLockFile(process.cwd()) : resolve(file);
  if (found === undefined || !existsSync(found)) {
    const where = file === undefined ? `no ${LOCK_FILE} in ${process.cwd()} or above it` : `no lock file ${file}`;
    throw new Error(`${where}; write it with: npx gofleet lock ${version}`);
  }
  return releaseFrom(parseLock(readFileSync(found, "utf8"), found), version, found);
}

/** The nearest lock file, from a directory upward. */
export function findLockFile(directory: string): string | undefined {
  const candidate = join(directory, LOCK_FILE);
  if (existsSync(candidate)) return candidate;
  const parent = dirname(directory);
  return parent === directory ? undefined : findLockFile(parent);
}
