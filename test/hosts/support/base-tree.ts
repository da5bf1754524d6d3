import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { must, script } from "./commands";

/** Where this machine keeps the base tree: the user's cache, by content of the script that makes it. */
export function baseTreePath(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const version = createHash("sha256")
    .update(readFileSync(script("base-tree.sh")))
    .digest("hex")
    .slice(0, 12);
  return join(cache, "gofleet", "hosts", version, "tree");
}

/**
 * The base tree, built on first use (half a minute) under a lock, so that runs that start together build it once.
 * @throws CommandError with apt's own words when the mirror cannot be reached.
 */
export async function baseTree(progress: (line: string) => void = () => undefined): Promise<string> {
  const tree = baseTreePath();
  if (existsSync(tree)) return tree;
  const folder = join(tree, "..");
  mkdirSync(folder, { recursive: true });
  progress("making the base tree of the test hosts (once per machine)");
  // Renamed when complete: a build that was interrupted is never taken for a tree.
  const build = '[ -e "$2/tree" ] || { rm -rf "$2/part" && sh "$1" "$2/part" && mv "$2/part" "$2/tree"; }';
  const flock = [join(folder, "lock"), "sh", "-c", build, "sh", script("base-tree.sh"), folder];
  await must("flock", flock, { timeout: 20 * 60_000 });
  return tree;
}
