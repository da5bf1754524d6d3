import { rmSync } from "node:fs";

/** Milliseconds between two tries. */
const PAUSE = 50;
const TRIES = 2400;

/**
 * Removes a tree in which a detached agent, or what an engine that was killed has left, may still write for a moment.
 * `rmSync` tries only the directory again, not the files that have come into it since.
 */
export function removeTree(path: string): void {
  for (let left = TRIES; ; left -= 1) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}
