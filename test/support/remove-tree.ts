import { rmSync } from "node:fs";

/**
 * Removes a tree in which a detached agent may still write for a moment after its answer has been read. `rmSync` tries
 * only the directory again, not the files that have come into it since.
 */
export function removeTree(path: string): void {
  for (let left = 100; ; left -= 1) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}
