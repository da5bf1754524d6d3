import { at, type CheckOptions } from "../check";
import { issue, type Issue } from "../issues";
import { checkFields, flag, required, whole, type ValueCheck } from "../field-checks";
import { formatSize, parseSize, type Size } from "../units";
import { cacheCount, type Cache } from "./cache";

/** What all slots of a sandbox may use together; each slot has an equal part. See systemd.resource-control(5). */
export interface LimitsArgs {
  /** Memory of all jobs, with what lies in caches in memory. */
  readonly memory: Size;
  /**
   * Processors' worth of time, such as 12 or 1.5. GOMAXPROCS of a slot's jobs is its part of it.
   * @default no limit, and GOMAXPROCS is the go command's own
   */
  readonly cpus?: number;
  /**
   * Processes and threads.
   * @default 4096
   */
  readonly tasks?: number;
  /**
   * Files that one process may hold open.
   * @default 65536
   */
  readonly openFiles?: number;
  /**
   * Weight of the sandbox when processors are short, 1 to 10000, where anything else has 100.
   * @default 100
   */
  readonly cpuWeight?: number;
  /**
   * Weight of the sandbox when disks are busy, 1 to 10000, where anything else has 100.
   * @default 100
   */
  readonly ioWeight?: number;
  /**
   * Room of what each job writes: its workspace and temporary directories and the modules it downloads, in one file
   * system; `/tmp`, `/var/tmp` and `/dev/shm` have as much each. It is in memory, part of `memory`, so that a job that
   * writes without end fills its own part and no disk.
   * @default none: they are on the disk, and only the watermarks bound them
   */
  readonly workspace?: Size;
  /**
   * Whether jobs have a GOMEMLIMIT: nine tenths of their slot's memory for builds, so that a Go program collects garbage
   * before it is killed for its memory. The compiler of Go 1.26 and newer gives up its large first heap where GOMEMLIMIT is
   * set, whatever its value: a build of what is not cached takes longer.
   * @default false
   */
  readonly goMemoryLimit?: boolean;
}

/** {@link LimitsArgs} with every default in place, and what follows from them for one slot. */
export interface Limits {
  readonly memoryBytes: number;
  readonly cpus: number | undefined;
  readonly tasks: number;
  readonly openFiles: number;
  readonly cpuWeight: number;
  readonly ioWeight: number;
  /** 0: on the disk. */
  readonly workspaceBytes: number;
  readonly slot: {
    readonly memoryBytes: number;
    readonly tasks: number;
    /** Room of /dev/shm. */
    readonly sharedMemoryBytes: number;
    /** GOMAXPROCS; undefined: the go command's own. */
    readonly maxProcs: number | undefined;
    /** GOMEMLIMIT in bytes: nine tenths of what a slot has besides what it keeps in memory; undefined: none. */
    readonly goMemoryBytes: number | undefined;
  };
}

/** What a slot must have for builds besides what it keeps in memory. */
const LEAST_BUILD_MEMORY = 2 ** 30;

/** What a slot must have for a build: the go command, its compilers, their threads and the agent. */
const LEAST_SLOT_TASKS = 256;

const TASKS = 4096;
const OPEN_FILES = 65536;
const WEIGHT = 100;

/** Puts the defaults in place. The args must have passed {@link checkLimits}. */
export function resolveLimits(args: LimitsArgs, slots: number, cache: Cache): Limits {
  const { cpus, tasks = TASKS, openFiles = OPEN_FILES, cpuWeight = WEIGHT, ioWeight = WEIGHT } = args;
  const memoryBytes = parseSize("", args.memory).value ?? NaN;
  const workspaceBytes = args.workspace === undefined ? 0 : (parseSize("", args.workspace).value ?? NaN);
  const builds = Math.floor((memoryBytes - cachedBytes(cache, slots)) / slots) - workspaceBytes;
  // A job is charged for what it writes into a cache in memory, up to the whole of a shared one.
  const cached = cache.kind === "tmpfs" ? cache.sizeBytes : 0;
  return {
    memoryBytes,
    cpus,
    tasks,
    openFiles,
    cpuWeight,
    ioWeight,
    workspaceBytes,
    slot: {
      memoryBytes: builds + cached + workspaceBytes,
      tasks: Math.floor(tasks / slots),
      // Of a machine's memory the kernel lets it have half, too.
      sharedMemoryBytes: workspaceBytes > 0 ? workspaceBytes : Math.floor(builds / 2),
      maxProcs: cpus === undefined ? undefined : Math.max(1, Math.floor(cpus / slots)),
      goMemoryBytes: args.goMemoryLimit ? Math.floor(builds * 0.9) : undefined,
    },
  };
}

export function checkLimits(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  const weight = whole(1, 10_000);
  return checkFields(
    path,
    given,
    {
      memory: required('the memory of all jobs, such as "48 GiB"', (here, value) => {
        const wrong = parseSize(here, value).issue;
        return wrong ? [wrong] : [];
      }),
      cpus: (here, value) =>
        typeof value === "number" && Number.isFinite(value) && value >= 0.1 && value <= 8192
          ? []
          : [issue(here, value, "a number of processors from 0.1 to 8192, such as 12 or 1.5")],
      tasks: whole(LEAST_SLOT_TASKS, 4_194_304),
      openFiles: whole(1024, 1_048_576),
      cpuWeight: weight,
      ioWeight: weight,
      workspace: checkWorkspace,
      goMemoryLimit: flag,
    },
    isUnknown,
  );
}

/** A clone and its build need more; this much shows that a size was not mistaken. */
const LEAST_WORKSPACE = 64 * 2 ** 20;

const checkWorkspace: ValueCheck = (path, given) => {
  const { value, issue: wrong } = parseSize(path, given);
  if (wrong) return [wrong];
  return value < LEAST_WORKSPACE
    ? [issue(path, given, `at least "${formatSize(LEAST_WORKSPACE)}": a checkout, and what is built of it`)]
    : [];
};

/** Whether the limits hold what the slots need, as far as all of it is known. */
export function checkRoom(path: string, args: LimitsArgs, slots: number, cache: Cache): Issue[] {
  const { memoryBytes, tasks, workspaceBytes } = resolveLimits(args, slots, cache);
  const cached = cachedBytes(cache, slots);
  const workspaces = slots * workspaceBytes;
  const least = cached + workspaces + slots * LEAST_BUILD_MEMORY;
  const each = slots === 1 ? "" : " for each slot";
  return [
    ...(memoryBytes < least
      ? [
          issue(
            at(path, "memory"),
            args.memory,
            `at least "${formatSize(least)}": ${cached > 0 ? `${formatSize(cached)} of caches in memory, and ` : ""}` +
              `${workspaces > 0 ? `${formatSize(workspaces)} of workspaces, and ` : ""}` +
              `${formatSize(LEAST_BUILD_MEMORY)} for builds${each}`,
          ),
        ]
      : []),
    ...(tasks < slots * LEAST_SLOT_TASKS
      ? [issue(at(path, "tasks"), tasks, `at least ${slots * LEAST_SLOT_TASKS}: ${LEAST_SLOT_TASKS}${each}`)]
      : []),
  ];
}

function cachedBytes(cache: Cache, slots: number): number {
  return cache.kind === "tmpfs" ? cacheCount(cache, slots) * cache.sizeBytes : 0;
}
