import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { lock } from "proper-lockfile";

import type { Progress } from "./progress";

/**
 * The directory for things that may be fetched or built again: `$XDG_CACHE_HOME/gofleet`, else `~/.cache/gofleet`,
 * else, where neither can be written (a read-only home), `.gofleet/cache` in the project.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheDir(env: NodeJS.ProcessEnv, projectDir: string): string {
  const xdg = env["XDG_CACHE_HOME"];
  const home = env["HOME"] || homedir();
  const wanted = xdg && isAbsolute(xdg) ? join(xdg, "gofleet") : join(home, ".cache", "gofleet");
  for (const dir of [wanted, join(projectDir, ".gofleet", "cache")]) {
    if (writable(dir)) return dir;
  }
  throw new Error(
    `no directory to cache the engine in: neither ${wanted} nor ${projectDir}/.gofleet/cache is writable`,
  );
}

function writable(dir: string): boolean {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Fills a directory at most once: `fill` works in a staging directory that is renamed to `dir` when it is done, so
 * an interrupted run leaves nothing that looks finished. Of several processes, one fills and the others wait.
 *
 * @param present whether `dir` already holds what `fill` would put there
 */
export async function fillOnce(
  dir: string,
  present: () => boolean,
  progress: Progress,
  fill: (staging: string) => Promise<void>,
): Promise<void> {
  if (present()) return;
  mkdirSync(dirname(dir), { recursive: true });
  const release = await acquire(dir, progress);
  try {
    if (present()) return;
    // Under the lock nobody else is staging: what is there was left by a run that was killed.
    for (const left of readdirSync(dirname(dir)).filter((name) => name.startsWith(`${basename(dir)}.part-`))) {
      rmSync(join(dirname(dir), left), { recursive: true, force: true });
    }
    const staging = mkdtempSync(`${dir}.part-`);
    try {
      await fill(staging);
      rmSync(dir, { recursive: true, force: true });
      renameSync(staging, dir);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
}

async function acquire(dir: string, progress: Progress): Promise<() => Promise<void>> {
  for (let told = false; ;) {
    try {
      // A holder renews its lock every 5 seconds; one that was killed is taken over after 20.
      return await lock(dir, { realpath: false, stale: 20_000, update: 5_000 });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ELOCKED") throw error;
      if (!told) progress("another run is preparing the same thing: waiting for it");
      told = true;
      await sleep(500);
    }
  }
}
