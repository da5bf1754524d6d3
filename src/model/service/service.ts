import type { UnitName } from "../names";
import { sortedByKey } from "../records";
import { parseDuration, type Duration } from "../units";
import type { ServiceDirectiveName } from "./directives";
import { telemetryEnvironment, type EnvironmentFile, type TelemetryArgs } from "./environment";
import { resolveHealth, type Health, type HealthArgs, type Notify, type WatchdogArgs } from "./health";
import { resolveJournal, type Journal, type JournalArgs } from "./journal";
import { resolveServiceLimits, type ServiceLimits, type ServiceLimitsArgs } from "./limits";
import {
  parseEndpoint,
  resolveSockets,
  type Endpoint,
  type ServiceSocket,
  type SocketArgs,
  type TcpAddress,
} from "./listen";
import { resolveRestart, type FailingRun, type Restart, type RestartArgs } from "./restart";

/**
 * A service. `Value` is the type of what only texts depend on, variables and configuration files: `string`, or an
 * `Input<string>` in a program.
 *
 * In `exec`, `validate`, `reload` and `env`, `{state}`, `{cache}`, `{logs}`, `{runtime}`, `{files}` and `{credentials}`
 * stand for the service's directories.
 */
export interface ServiceArgs<Value = string> {
  /** The program and its arguments, each handed over as it stands; the program by its path in the release. */
  readonly exec: readonly [string, ...string[]];
  /**
   * A program that must end well before each start, in the same surroundings: of the release, or by an absolute path.
   * @default none
   */
  readonly validate?: readonly [string, ...string[]];
  /**
   * `"dynamic"`: a user that exists while the service runs. Otherwise the name of one that is made where it is missing.
   * @default "dynamic"
   */
  readonly user?: string;
  /**
   * Directories of its own, below /var/lib, /var/cache, /var/log and /run.
   * @default none
   */
  readonly directories?: DirectoryArgs;
  /**
   * Variables; no secrets, every user of the host can read them. They win over GOMEMLIMIT and the like from `limits`.
   * @default none
   */
  readonly env?: Readonly<Record<string, Value>>;
  /**
   * Files of the host with more variables, read at each start; a later one wins over an earlier one, and over `env`.
   * @default none
   */
  readonly environmentFiles?: readonly EnvironmentFile[];
  /**
   * Configuration files by name, in the directory `{files}`; readable by all.
   * @default none
   */
  readonly files?: Readonly<Record<string, Value>>;
  /**
   * Secrets by name, files that the service alone can read in the directory `{credentials}`. See `LoadCredential=`.
   * @default none
   */
  readonly secrets?: Readonly<Record<string, Value>>;
  /**
   * What it may use of the host.
   * @default see `ServiceLimitsArgs`
   */
  readonly limits?: ServiceLimitsArgs;
  /**
   * What of its confinement is left out.
   * @default nothing
   */
  readonly hardening?: {
    /**
     * Directives that are left out, by name.
     * @default none
     */
    readonly off?: readonly ServiceDirectiveName[];
  };
  /**
   * When systemd starts it again, and when it gives up.
   * @default see `RestartArgs`
   */
  readonly restart?: RestartArgs;
  /**
   * A unit of the host that is started when the service fails for good.
   * @default none
   */
  readonly onFailure?: UnitName;
  /**
   * When it is ready, and when alive.
   * @default the service must stay up for 3 s
   */
  readonly health?: HealthArgs;
  /**
   * Who tells systemd that the service is ready and alive.
   * @default "probe" with `health`, else "none"
   */
  readonly notify?: Notify;
  /**
   * Ends a service that hangs.
   * @default none
   */
  readonly watchdog?: WatchdogArgs;
  /**
   * How it is asked to end.
   * @default SIGTERM, and 30 s for requests in progress
   */
  readonly stop?: StopArgs;
  /**
   * Addresses that the service opens itself: an update is refused while somebody else has one.
   * @default none
   */
  readonly listen?: readonly TcpAddress[];
  /**
   * Sockets that systemd opens and hands over, by name.
   * @default none
   */
  readonly sockets?: Readonly<Record<string, SocketArgs>>;
  /**
   * How a new release comes on. `restart`: the service ends and starts. `socket`: the same, while connections wait in its
   * sockets. `reload`: where nothing but `files` changed, the process is told and goes on; anything else that changed
   * (program, arguments, unit, `env`, `secrets`) it has from its start, so then it is restarted.
   * @default "socket" with `sockets`, else "restart"
   */
  readonly update?: Update;
  /**
   * The command that tells the service to reload; it must read its `files` again.
   * @default SIGHUP to its main process
   */
  readonly reload?: readonly [string, ...string[]];
  /**
   * Under which name and into which journal it logs.
   * @default the program's name, the host's journal
   */
  readonly journal?: JournalArgs<Value>;
  /**
   * Its name and attributes for OpenTelemetry.
   * @default none
   */
  readonly telemetry?: TelemetryArgs;
}

/** How a new release of a service comes on. */
export type Update = "restart" | "reload" | "socket";

/** True: the service has such a directory, 0750 of its own user; it finds it as `STATE_DIRECTORY` and so on as well. */
export interface DirectoryArgs {
  /**
   * What outlives restarts and releases, below /var/lib.
   * @default false
   */
  readonly state?: boolean;
  /**
   * What can be made anew, below /var/cache.
   * @default false
   */
  readonly cache?: boolean;
  /**
   * Log files, below /var/log.
   * @default false
   */
  readonly logs?: boolean;
  /**
   * Gone when the service ends, below /run.
   * @default false
   */
  readonly runtime?: boolean;
}

/** How the service is asked to end. */
export interface StopArgs {
  /**
   * What tells it to end.
   * @default "SIGTERM"
   */
  readonly signal?: "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP";
  /**
   * Longest for requests in progress, before it is killed.
   * @default "30 s"
   */
  readonly within?: Duration;
}

/** {@link ServiceArgs} with every default in place; of what texts depend on only the names. */
export interface Service {
  readonly exec: readonly [string, ...string[]];
  readonly validate: readonly [string, ...string[]] | undefined;
  /** Undefined: `DynamicUser=`. */
  readonly user: string | undefined;
  readonly directories: Readonly<Record<keyof DirectoryArgs, boolean>>;
  /** Variables that follow from limits and telemetry; those of the program win over them. */
  readonly derived: Readonly<Record<string, string>>;
  readonly environmentFiles: readonly EnvironmentFile[];
  readonly files: readonly string[];
  readonly secrets: readonly string[];
  readonly limits: ServiceLimits;
  readonly off: readonly ServiceDirectiveName[];
  readonly restart: Restart;
  readonly onFailure: UnitName | undefined;
  readonly health: Health;
  readonly stop: { readonly signal: string; readonly within: number };
  readonly listen: readonly Endpoint[];
  readonly sockets: readonly ServiceSocket[];
  readonly update: Update;
  readonly reload: readonly [string, ...string[]] | undefined;
  readonly journal: Journal;
}

const STOP_WITHIN = 30;

/** Puts the defaults in place. The args must have passed `checkService`. */
export function resolveService(args: ServiceArgs<unknown>): Service {
  const { user = "dynamic", directories = {}, stop = {} } = args;
  const limits = resolveServiceLimits(args.limits);
  const sockets = resolveSockets(args.sockets);
  const health = resolveHealth(args);
  return {
    exec: args.exec,
    validate: args.validate,
    user: user === "dynamic" ? undefined : user,
    directories: { state: false, cache: false, logs: false, runtime: false, ...directories },
    derived: sortedByKey({ ...limits.environment, ...telemetryEnvironment(args.telemetry) }),
    environmentFiles: args.environmentFiles ?? [],
    files: Object.keys(args.files ?? {}).sort(),
    secrets: Object.keys(args.secrets ?? {}).sort(),
    limits,
    off: [...(args.hardening?.off ?? [])].sort(),
    restart: resolveRestart(args.restart, failingRuns(health)),
    onFailure: args.onFailure,
    health,
    stop: {
      signal: stop.signal ?? "SIGTERM",
      within: stop.within === undefined ? STOP_WITHIN : (parseDuration("", stop.within).value ?? NaN),
    },
    listen: (args.listen ?? []).flatMap((each) => parseEndpoint(each) ?? []),
    sockets,
    update: args.update ?? (sockets.length > 0 ? "socket" : "restart"),
    reload: args.reload,
    journal: resolveJournal(args.journal, args.exec[0]),
  };
}

/** Failures that take their time: a start that is never ready, a service that hangs. */
export function failingRuns({ readiness, liveness, notify, watchdog }: Health): FailingRun[] {
  const unheard = liveness === undefined || watchdog === undefined ? 0 : (liveness.failures * watchdog.within) / 2;
  return [
    ...(readiness !== undefined && notify !== "none"
      ? [{ seconds: readiness.within, because: "health.readiness.within" }]
      : []),
    ...(watchdog === undefined
      ? []
      : [{ seconds: unheard + watchdog.within + watchdog.abortWithin, because: "watchdog" }]),
  ];
}
