import type { CheckOptions } from "../check";
import { at, isFields } from "../check";
import { issue, type Issue } from "../issues";
import { checkFields, oneOf, parsed, required, type ValueCheck } from "../field-checks";
import { parsePath, type AbsolutePath } from "../names";
import { parseDuration, parseSize, type Duration, type Size } from "../units";
import { checkCommand } from "./agents/exec";

/** The build cache (GOCACHE) of a sandbox's jobs. */
export interface CacheArgs {
  /**
   * Where it is: `tmpfs` in memory, bounded by its size and counted in `limits.memory`; `disk` below `path`, kept
   * within its size by `gofleet-cache`. Neither builds faster than the other: a cache in memory is bounded by the kernel
   * and gone with the mount.
   * @default "disk"
   */
  readonly kind?: "tmpfs" | "disk";
  /** Room of each cache: one a slot, or one in all where it is shared. */
  readonly size: Size;
  /**
   * Whose it is: each slot's own, or one for all. What one job writes into a shared cache, the jobs of all slots build
   * from.
   * @default "slot"
   */
  readonly scope?: "slot" | "shared";
  /**
   * What becomes of a job's writes: they stay for the next job, which then builds from what this one left, or go with the
   * job. With `discard` a job begins with an empty cache, or, of the scope `shared`, with one that an administrator fills
   * and that no job changes. For jobs that do not trust each other.
   * @default "keep"
   */
  readonly writes?: "keep" | "discard";
  /**
   * How often a cache in memory is copied to the disk, besides at shutdown; it is filled from there at boot. `false`: a
   * boot begins with empty caches.
   * @default "1 h" for tmpfs
   */
  readonly persist?: Duration | false;
  /**
   * Entries that no build has used in this time go. The go command itself removes them after five days.
   * @default "5 d"
   */
  readonly maxAge?: Duration;
  /**
   * Directory of all caches of the sandbox, modules included.
   * @default "/var/cache/gofleet-<directory>"
   */
  readonly path?: AbsolutePath;
  /**
   * A GOCACHEPROG that jobs build from where their own cache has nothing, such as the client of a remote cache.
   * @default none
   */
  readonly program?: CacheProgramArgs;
}

/**
 * A program that speaks the protocol of GOCACHEPROG (Go 1.24). It runs as the slot's user, within its confinement: what it
 * may reach is what jobs may, and what it knows they can know.
 *
 * @see https://pkg.go.dev/cmd/go/internal/cacheprog
 */
export interface CacheProgramArgs {
  /** The program by its absolute path, then its arguments. Everybody on the host can read them: no secrets. */
  readonly command: readonly [AbsolutePath, ...string[]];
  /**
   * Whether it also gets what jobs build. Others build from that, so only for jobs that everybody trusts.
   * @default "discard"
   */
  readonly writes?: "keep" | "discard";
}

/** {@link CacheArgs} with every default in place. */
export interface Cache {
  readonly kind: "tmpfs" | "disk";
  readonly sizeBytes: number;
  readonly scope: "slot" | "shared";
  readonly discard: boolean;
  /** Seconds between two copies; 0: it is not kept over a reboot, or need not be copied. */
  readonly persistEvery: number;
  /** Seconds. */
  readonly maxAge: number;
  readonly path: AbsolutePath | undefined;
  readonly program: { readonly command: readonly string[]; readonly writes: boolean } | undefined;
}

const PERSIST = "1 h";
const MAX_AGE = "5 d";
const DAY = 86400;

/** Puts the defaults in place. The args must have passed {@link checkCache}. */
export function resolveCache(args: CacheArgs): Cache {
  const { kind = "disk", scope = "slot", writes = "keep", persist = PERSIST, maxAge = MAX_AGE } = args;
  // What a job writes over the shared cache goes with it; there is nothing to copy.
  const copied = kind === "tmpfs" && persist !== false && writes === "keep";
  return {
    kind,
    sizeBytes: parseSize("", args.size).value ?? NaN,
    scope,
    discard: writes === "discard",
    persistEvery: copied ? (parseDuration("", persist).value ?? NaN) : 0,
    maxAge: parseDuration("", maxAge).value ?? NaN,
    path: args.path,
    program: args.program && { command: args.program.command, writes: args.program.writes === "keep" },
  };
}

/** How many caches jobs write. */
export function cacheCount({ scope, discard }: Cache, slots: number): number {
  return scope === "shared" && !discard ? 1 : slots;
}

export function checkCache(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  const issues = checkFields(
    path,
    given,
    {
      kind: oneOf("tmpfs", "disk"),
      size: required('a size such as "24 GiB"', checkSize),
      scope: oneOf("slot", "shared"),
      writes: oneOf("keep", "discard"),
      persist: (here, value) => (value === false ? [] : between(here, value, 60, DAY, '"1 min" to "1 d", or false')),
      maxAge: (here, value) => between(here, value, 3600, 5 * DAY, '"1 h" to "5 d": go itself removes what is older'),
      path: parsed(parsePath),
      program: (here, value) =>
        checkFields(
          here,
          value,
          {
            command: required('a command such as ["/usr/local/bin/cache-client"]', checkProgram),
            writes: oneOf("keep", "discard"),
          },
          isUnknown,
        ),
    },
    isUnknown,
  );
  return isFields(given) ? [...issues, ...checkTogether(path, given)] : issues;
}

function checkTogether(path: string, given: Readonly<Record<string, unknown>>): Issue[] {
  const { kind = "disk", persist } = given;
  return kind === "disk" && persist !== undefined
    ? [issue(at(path, "persist"), persist, "nothing: a cache on the disk is still there after a reboot")]
    : [];
}

/** The go command reads a list of words in which quotes have no escape. */
const checkProgram: ValueCheck = (path, given) => {
  const issues = checkCommand(path, given);
  if (issues.length > 0) return issues;
  return (given as string[]).flatMap((word, index) =>
    word.includes("'") && word.includes('"')
      ? [issue(at(path, index), word, "a word with one kind of quotes: GOCACHEPROG cannot hold both")]
      : [],
  );
};

const LEAST_SIZE = 64 * 2 ** 20;

function checkSize(path: string, given: unknown): Issue[] {
  const { value, issue: wrong } = parseSize(path, given);
  if (wrong) return [wrong];
  return value < LEAST_SIZE ? [issue(path, given, 'at least "64 MiB": the standard library alone fills less')] : [];
}

function between(path: string, given: unknown, least: number, most: number, wanted: string): Issue[] {
  const { value, issue: wrong } = parseDuration(path, given);
  if (wrong) return [wrong];
  return value < least || value > most ? [issue(path, given, `a duration from ${wanted}`)] : [];
}
