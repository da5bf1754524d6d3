import { checkFields, whole, type ValueCheck } from "../field-checks";
import { issue } from "../issues";
import { parseSize, type Size } from "../units";

/** What the service may use. See systemd.resource-control(5). */
export interface ServiceLimitsArgs {
  /**
   * Memory; beyond it the kernel ends the service. GOMEMLIMIT is nine tenths of it, so that Go collects before that.
   * @default no limit
   */
  readonly memory?: Size;
  /**
   * Processors' worth of time, such as 2 or 1.5. GOMAXPROCS is that, rounded up.
   * @default no limit
   */
  readonly cpus?: number;
  /**
   * Processes and threads.
   * @default 4096
   */
  readonly tasks?: number;
  /**
   * Files and connections that it may hold open.
   * @default 65536
   */
  readonly openFiles?: number;
}

/** {@link ServiceLimitsArgs} with every default in place, and what follows from them for Go. */
export interface ServiceLimits {
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly tasks: number;
  readonly openFiles: number;
  /** GOMEMLIMIT and GOMAXPROCS. */
  readonly environment: Readonly<Record<string, string>>;
}

const TASKS = 4096;
const OPEN_FILES = 65536;

/** Less than a Go program with an HTTP server takes for itself. */
const LEAST_MEMORY = 16 * 2 ** 20;

export const checkServiceLimits: ValueCheck = (path, given) =>
  checkFields(path, given, {
    memory: (here, value) => {
      const size = parseSize(here, value);
      if (size.issue !== undefined) return [size.issue];
      return size.value >= LEAST_MEMORY ? [] : [issue(here, value, 'at least "16 MiB"')];
    },
    cpus: (here, value) =>
      typeof value === "number" && value >= 0.1 && value <= 8192
        ? []
        : [issue(here, value, "a number of processors from 0.1 to 8192, such as 2 or 1.5")],
    tasks: whole(16, 4_194_304),
    openFiles: whole(64, 1_048_576),
  });

/** Puts the defaults in place. The args must have passed {@link checkServiceLimits}. */
export function resolveServiceLimits(args: ServiceLimitsArgs = {}): ServiceLimits {
  const { cpus, tasks = TASKS, openFiles = OPEN_FILES } = args;
  const memoryBytes = args.memory === undefined ? undefined : parseSize("", args.memory).value;
  return {
    memoryBytes,
    cpus,
    tasks,
    openFiles,
    environment: {
      ...(cpus === undefined ? {} : { GOMAXPROCS: String(Math.ceil(cpus)) }),
      ...(memoryBytes === undefined ? {} : { GOMEMLIMIT: `${Math.floor(memoryBytes * 0.9)}B` }),
    },
  };
}
