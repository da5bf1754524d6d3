import type { AbsolutePath, UnitName } from "../../model/names";
import { DIRECTIVES, type ServiceDirective, type ServiceDirectiveName } from "../../model/service/directives";
import type { Restart } from "../../model/service/restart";
import type { Service } from "../../model/service/service";
import { formatDuration } from "../../model/units";
import { environment, exec, literal, text, unitFile, type UnitSection, type UnitText } from "../unit-file";

/** A program by its absolute path, then its arguments. */
export type CommandLine = readonly [string, ...string[]];

/** What a service's unit is made of. */
export interface ServiceUnit {
  /** The component's directory name, for a person who lists units. */
  readonly component: string;
  readonly service: Service;
  /** The service's user, `DynamicUser=` or not. */
  readonly user: string;
  /** Name of its directories below /var/lib, /var/cache, /var/log and /run. */
  readonly directory: string;
  /** Variables of the program, as a file; undefined: none. */
  readonly environment: AbsolutePath | undefined;
  /** Directory of its configuration files, where it has any. */
  readonly files: AbsolutePath | undefined;
  readonly credentials: readonly { readonly name: string; readonly path: AbsolutePath }[];
  readonly start: CommandLine;
  readonly validate: CommandLine | undefined;
  readonly reload: CommandLine | undefined;
  readonly sockets: readonly UnitName[];
  /** Units of the host: those that start with it, and those that it comes after. */
  readonly beside: { readonly wants: readonly UnitName[]; readonly after: readonly UnitName[] };
  /** The name of its journal; undefined: the host's. */
  readonly namespace: string | undefined;
}

/** The service's unit. See systemd.service(5), systemd.exec(5) and systemd.resource-control(5). */
export function serviceUnit(unit: ServiceUnit): string {
  const { service, sockets, beside } = unit;
  return unitFile(
    [
      "Unit",
      {
        Description: text(`${service.journal.identifier}, service ${unit.component}`),
        Wants: literal(["network-online.target", ...beside.wants].join(" ")),
        After: literal(["network-online.target", ...beside.after, ...sockets].join(" ")),
        Requires: sockets.length === 0 ? undefined : literal(sockets.join(" ")),
        ...breaker(service.restart),
        OnFailure: service.onFailure === undefined ? undefined : literal(service.onFailure),
      },
    ],
    [
      "Service",
      {
        ...identity(unit),
        ...directories(unit),
        ...surroundings(unit),
        ...commands(unit),
        ...lifecycle(service),
        ...limits(service),
        ...journal(unit),
        ...hardening(service.off),
      },
    ],
    ["Install", { WantedBy: literal("multi-user.target") }],
  );
}

/** In [Unit]: in [Service] systemd passes over them, and its default of ten seconds never gives up. */
function breaker({ breaker: limit }: Restart): UnitSection[1] {
  if (limit === undefined) return { StartLimitIntervalSec: literal("0") };
  return { StartLimitIntervalSec: span(limit.within), StartLimitBurst: literal(String(limit.starts)) };
}

function identity({ service, user }: ServiceUnit): UnitSection[1] {
  return service.user === undefined
    ? { DynamicUser: literal("yes"), User: literal(user) }
    : { User: literal(user), Group: literal(user) };
}

function directories({ service, directory }: ServiceUnit): UnitSection[1] {
  const kinds = [
    ["state", "State"],
    ["cache", "Cache"],
    ["logs", "Logs"],
    ["runtime", "Runtime"],
  ] as const;
  const had = kinds.filter(([key]) => service.directories[key]);
  return Object.fromEntries(
    had.flatMap(([, name]) => [
      [`${name}Directory`, text(directory)],
      [`${name}DirectoryMode`, literal("0750")],
    ]),
  );
}

/** `Environment=` first, then the files in their order: of two values for one name the later wins. */
function surroundings({ service, environment: own, files, credentials }: ServiceUnit): UnitSection[1] {
  const derived = {
    ...service.derived,
    ...(files === undefined ? {} : { CONFIGURATION_DIRECTORY: files }),
  };
  const chain = [...(own === undefined ? [] : [own]), ...service.environmentFiles];
  return {
    Environment: Object.entries(derived).map(([name, value]) => environment(name, value)),
    EnvironmentFile: chain.map(text),
    LoadCredential: credentials.map(({ name, path }) => text(`${name}:${path}`)),
  };
}

function commands({ service, start, validate, reload }: ServiceUnit): UnitSection[1] {
  const { notify } = service.health;
  return {
    Type: literal(notify === "none" ? "exec" : "notify"),
    NotifyAccess: notify === "none" ? undefined : literal(notify === "probe" ? "all" : "main"),
    ExecStartPre: validate && exec(...validate),
    ExecStart: exec(...start),
    // Without a command of its own: systemd puts the main process's number in place of MAINPID.
    ExecReload:
      service.update !== "reload" ? undefined : reload ? exec(...reload) : literal('/bin/kill -HUP "$MAINPID"'),
  };
}

function lifecycle({ health, restart, stop }: Service): UnitSection[1] {
  const { readiness, notify, watchdog } = health;
  return {
    TimeoutStartSec: notify === "none" || readiness === undefined ? undefined : span(readiness.within),
    WatchdogSec: watchdog && span(watchdog.within),
    // Go prints every goroutine's stack on SIGABRT; it has this long for it.
    WatchdogSignal: watchdog && literal("SIGABRT"),
    TimeoutAbortSec: watchdog && span(watchdog.abortWithin),
    Restart: literal(restart.when),
    RestartSec: span(restart.after),
    RestartSteps: restart.grow && literal(String(restart.grow.steps)),
    RestartMaxDelaySec: restart.grow && span(restart.grow.after),
    // The service is asked alone; what it leaves behind is killed.
    KillMode: literal("mixed"),
    KillSignal: literal(stop.signal),
    TimeoutStopSec: span(stop.within),
  };
}

function limits({ limits: { memoryBytes, cpus, tasks, openFiles } }: Service): UnitSection[1] {
  return {
    MemoryMax: memoryBytes === undefined ? undefined : literal(String(memoryBytes)),
    CPUQuota: cpus === undefined ? undefined : literal(`${Math.round(cpus * 100)}%`),
    TasksMax: literal(String(tasks)),
    LimitNOFILE: literal(String(openFiles)),
  };
}

function journal({ service, namespace }: ServiceUnit): UnitSection[1] {
  const { identifier, rate } = service.journal;
  return {
    StandardOutput: literal("journal"),
    StandardError: literal("journal"),
    SyslogIdentifier: literal(identifier),
    LogNamespace: namespace === undefined ? undefined : literal(namespace),
    LogRateLimitIntervalSec: rate && span(rate.per),
    LogRateLimitBurst: rate && literal(String(rate.messages)),
  };
}

function hardening(off: readonly ServiceDirectiveName[]): UnitSection[1] {
  const chosen = DIRECTIVES.filter(({ name }) => !off.includes(name));
  return Object.fromEntries(
    chosen.map(({ name, value }: ServiceDirective) => [name, [value].flat().map((each) => literal(each))]),
  );
}

/** systemd takes no space between a number and its unit. */
function span(seconds: number): UnitText {
  return literal(formatDuration(seconds).replace(" ", ""));
}
