import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

/** Replaces a file in one step: readers see the old text or the new one, also after a crash. */
export function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.gofleet-${process.pid}.tmp`);
  try {
    const file = openSync(temporary, "wx", 0o644);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
