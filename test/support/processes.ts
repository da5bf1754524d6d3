import { readFileSync } from "node:fs";

/** Whether a process runs, with these words in its command line; one that has ended and is not waited for yet does not. */
export function runs(pid: number, words = ""): boolean {
  try {
    const ended = /^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    return !ended && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(words);
  } catch {
    return false;
  }
}
