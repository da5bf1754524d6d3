import { readFileSync } from "node:fs";

import { isGoVersion } from "../model/go-version";
import { parseLock } from "../model/lock";
import { findLockFile } from "../model/lock-file";
import type { GoRelease } from "../model/toolchain";

/** All releases in the project's lock file; none where there is no lock file. */
export function lockedReleases(projectDir: string): readonly GoRelease[] {
  const file = findLockFile(projectDir);
  if (!file) return [];
  const { go } = parseLock(readFileSync(file, "utf8"), file);
  return Object.entries(go).flatMap(([version, checksums]) => (isGoVersion(version) ? [{ version, checksums }] : []));
}
