import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { isGoMajor, parseGoVersion } from "../model/go-version";
import { sentence } from "../model/issues";
import { EMPTY_LOCK, formatLock, LOCK_FILE, parseLock, withChecksums, type Lock } from "../model/lock";
import { findLockFile } from "../model/lock-file";
import { isPlatform, PLATFORMS, platformName, type Platform } from "../model/platform";
import { OFFICIAL_URL, type Checksums } from "../model/toolchain";
import { GoCommand } from "./go-command";
import { fetchIndex } from "./release-index";
import { findRelease, type Found, type Sources } from "./release-search";
import { replaceFile } from "./replace-file";

interface LockOptions {
  readonly platform: readonly Platform[];
  readonly url: string;
  readonly file?: string;
}

/** `gofleet lock 1.26`: writes exact versions and their checksums into the lock file. */
export function lockCommand(): Command {
  return new Command("lock")
    .summary("write exact Go versions and their checksums into the lock file")
    .description(
      `Writes exact Go versions and their checksums into ${LOCK_FILE}, for lock("1.26") in a program. ` +
        "A version is exact (1.26.8, 1.27rc1) or a major (1.26: its newest release that can be had).\n\n" +
        "The sha256 of an archive comes from the release index. The h1 of a toolchain module comes from " +
        "go mod download, which checks it against the checksum database and keeps the module in its cache. " +
        "What cannot be had is said, and what the file already holds stays.",
    )
    .argument("<version...>", "such as 1.26 or 1.26.8", collectVersion)
    .addOption(
      new Option("--platform <list>", "platforms, with commas between")
        .argParser(parsePlatforms)
        .default([...PLATFORMS], PLATFORMS.join(",")),
    )
    .addOption(new Option("--url <url>", "release index: https://go.dev/dl or a mirror of it").default(OFFICIAL_URL))
    .addOption(new Option("--file <path>", `lock file (default: the nearest ${LOCK_FILE}, from here upward)`))
    .addHelpText("after", "\nExamples:\n  gofleet lock 1.26\n  gofleet lock 1.26.8 1.25.10 --platform linux-amd64")
    .action(lockVersions);
}

async function lockVersions(versions: readonly string[], options: LockOptions): Promise<void> {
  const file = options.file ? resolve(options.file) : (findLockFile(process.cwd()) ?? join(process.cwd(), LOCK_FILE));
  const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  let lock = before === undefined ? EMPTY_LOCK : parseLock(before, file);

  const index = await fetchIndex(options.url);
  if (index.problem) note(`no sha256 of archives: ${index.problem}`);
  const go = await GoCommand.find();
  if (go.problem) note(`no h1 of modules: ${go.problem}`);
  const sources: Sources = { index: index.value, go: go.value };
  if (!sources.index && !sources.go) throw new Error("neither the release index nor a go command can be used");

  let failures = 0;
  for (const wanted of versions) {
    const found = await findRelease(wanted, options.platform, sources, note);
    if (!found) {
      failures += 1;
      note(`Go ${wanted} could not be had`);
      continue;
    }
    failures += report(found, options.platform);
    lock = merge(lock, found, file);
  }
  const after = formatLock(lock);
  const nearby = relative(process.cwd(), file);
  const name = nearby.startsWith("..") ? file : nearby;
  if (Object.keys(lock.go).length === 0) {
    note("nothing to write");
  } else if (after === before) {
    console.log(`${name} is up to date`);
  } else {
    replaceFile(file, after);
    console.log(`wrote ${name}`);
  }
  if (failures > 0) process.exitCode = 1;
}

/** Adds what was found; a checksum that differs from the locked one is never taken over. */
function merge(lock: Lock, { version, checksums }: Found, file: string): Lock {
  let merged = lock;
  for (const [platform, sums] of checksums) {
    const locked = lock.go[version]?.[platform] ?? {};
    for (const kind of ["sha256", "h1"] as const) {
      const [old, now] = [locked[kind], sums[kind]];
      if (old !== undefined && now !== undefined && old !== now) {
        throw new Error(
          `the ${kind} of go${version} ${platform} changed: ${file} has ${old}, now ${now} is published. ` +
            "A release never changes; find out why before removing it from the file. Nothing was written",
        );
      }
    }
    merged = withChecksums(merged, version, platform, sums);
  }
  return merged;
}

/** One line a platform on stdout; returns how many platforms have nothing. */
function report({ version, checksums }: Found, platforms: readonly Platform[]): number {
  for (const platform of platforms) {
    console.log(`go${version} ${platform}: ${kinds(checksums.get(platform))}`);
  }
  return platforms.filter((platform) => !checksums.has(platform)).length;
}

function kinds(sums: Checksums | undefined): string {
  const known = (["sha256", "h1"] as const).filter((kind) => sums?.[kind] !== undefined);
  return known.join(", ") || "nothing could be had";
}

function note(message: string): void {
  console.error(`gofleet lock: ${message}`);
}

function collectVersion(given: string, previous: readonly string[] = []): readonly string[] {
  const parsed = parseGoVersion("version", given);
  if (parsed.issue && !isGoMajor(given)) throw new InvalidArgumentError(`${sentence(parsed.issue)}.`);
  return previous.includes(given) ? previous : [...previous, given];
}

function parsePlatforms(given: string): readonly Platform[] {
  const names = given.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !isPlatform(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`given "${wrong}", wanted ${platformName(wrong)}.`);
  return PLATFORMS.filter((platform) => names.includes(platform));
}
