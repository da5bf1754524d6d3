import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { must, script } from "./commands";

const BASE = "base-tree.sh";
const KERNEL = "kernel-tree.sh";

/** Where this machine keeps the base tree: the user's cache, by content of the script that makes it. */
export function baseTreePath(): string {
  return treePath(BASE);
}

/**
 * The base tree, built on first use (half a minute) under a lock, so that runs that start together build it once.
 * @throws CommandError with apt's own words when the mirror cannot be reached.
 */
export function baseTree(progress: (line: string) => void = () => undefined): Promise<string> {
  return tree(BASE, "the base tree of the test hosts", progress);
}

/**
 * The kernel for hosts that need one of their own, built on first use (ten seconds) as the base tree is.
 * @throws CommandError with apt's own words when the mirror cannot be reached.
 */
export function kernelTree(progress: (line: string) => void = () => undefined): Promise<string> {
  return tree(KERNEL, "the kernel of the virtual machines", progress);
}

function treePath(builder: string): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const version = createHash("sha256")
    .update(readFileSync(script(builder)))
    .digest("hex")
    .slice(0, 12);
  return join(cache, "gofleet", "hosts", version, "tree");
}

async function tree(builder: string, what: string, progress: (line: string) => void): Promise<string> {
  const path = treePath(builder);
  if (existsSync(path)) return path;
  const folder = join(path, "..");
  mkdirSync(folder, { recursive: true });
  progress(`making ${what} (once per machine)`);
  // Renamed when complete: a build that was interrupted is never taken for a tree.
  const build = '[ -e "$2/tree" ] || { rm -rf "$2/part" && sh "$1" "$2/part" && mv "$2/part" "$2/tree"; }';
  const flock = [join(folder, "lock"), "sh", "-c", build, "sh", script(builder), folder];
  await must("flock", flock, { timeout: 20 * 60_000 });
  return path;
}
