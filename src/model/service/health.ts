import { at, isFields, issuesOf, unknownKeys, type Fields } from "../check";
import { checkFields, oneOf, parsed, required, url, whole, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parsePath, type AbsolutePath } from "../names";
import { parseDuration, type Duration } from "../units";

/** An HTTP GET that is good where the answer is 2xx. */
export interface HealthGet {
  /** From the host itself: `http://127.0.0.1:7070/healthz`. */
  readonly get: string;
  /**
   * A unix socket to ask instead of the URL's host and port.
   * @default none
   */
  readonly socket?: AbsolutePath;
}

/** Whether the service can do its work, dependencies included: what a release must come to. */
export interface ReadinessArgs extends HealthGet {
  /**
   * Longest from the start to the first good answer.
   * @default "30 s"
   */
  readonly within?: Duration;
  /**
   * Longest for one answer.
   * @default "2 s"
   */
  readonly timeout?: Duration;
}

/** Whether the process itself works; nothing that it depends on, or an outage of that restarts every service. */
export interface LivenessArgs extends HealthGet {
  /**
   * Longest for one answer.
   * @default "1 s"
   */
  readonly timeout?: Duration;
  /**
   * Bad answers in a row after which the watchdog is no longer told that all is well; 1 to 20.
   * @default 3
   */
  readonly failures?: number;
}

/** Readiness and liveness apart, or readiness alone: `{ get: "http://127.0.0.1:7070/healthz", within: "30 s" }`. */
export type HealthArgs = ReadinessArgs | { readonly readiness?: ReadinessArgs; readonly liveness?: LivenessArgs };

/** Ends a service that hangs. See `WatchdogSec=` in systemd.service(5). */
export interface WatchdogArgs {
  /** Longest between two signs of life; they come at half of it or sooner. The service gets SIGABRT, for which Go prints all stacks. */
  readonly within: Duration;
  /**
   * Longest for printing them, before it is killed.
   * @default "10 s"
   */
  readonly abortWithin?: Duration;
}

/**
 * Who tells systemd that the service is ready and alive: the service by sd_notify(3); a probe beside it, for a service
 * that does not; or nobody.
 */
export type Notify = "service" | "probe" | "none";

/** A probe with every default in place; seconds. */
export interface Probe {
  readonly get: string;
  readonly socket: AbsolutePath | undefined;
  readonly timeout: number;
}

export interface Health {
  readonly readiness: (Probe & { readonly within: number }) | undefined;
  readonly liveness: (Probe & { readonly failures: number }) | undefined;
  readonly notify: Notify;
  readonly watchdog: { readonly within: number; readonly abortWithin: number } | undefined;
}

const READY_WITHIN = 30;
const READY_TIMEOUT = 2;
const LIVE_TIMEOUT = 1;
const LIVE_FAILURES = 3;
const ABORT_WITHIN = 10;

/** What {@link resolveHealth} reads of a service's arguments. */
export interface HealthFields {
  readonly health?: HealthArgs;
  readonly notify?: Notify;
  readonly watchdog?: WatchdogArgs;
}

/** Puts the defaults in place. The args must have passed {@link checkHealth} and its companions. */
export function resolveHealth({ health = {}, notify, watchdog }: HealthFields): Health {
  const { readiness, liveness } = "get" in health ? { readiness: health, liveness: undefined } : health;
  return {
    readiness: readiness && {
      ...probe(readiness, READY_TIMEOUT),
      within: seconds(readiness.within, READY_WITHIN),
    },
    liveness: liveness && { ...probe(liveness, LIVE_TIMEOUT), failures: liveness.failures ?? LIVE_FAILURES },
    notify: notify ?? (readiness === undefined ? "none" : "probe"),
    watchdog: watchdog && {
      within: seconds(watchdog.within, NaN),
      abortWithin: seconds(watchdog.abortWithin, ABORT_WITHIN),
    },
  };
}

function probe({ get, socket, timeout }: ReadinessArgs | LivenessArgs, otherwise: number): Probe {
  return { get, socket, timeout: seconds(timeout, otherwise) };
}

function seconds(given: Duration | undefined, otherwise: number): number {
  return given === undefined ? otherwise : (parseDuration("", given).value ?? NaN);
}

const GET = {
  get: required('a URL such as "http://127.0.0.1:7070/healthz"', url('a URL such as "http://127.0.0.1:7070/healthz"')),
  socket: parsed(parsePath),
  timeout: parsed(parseDuration),
};
const READINESS = { ...GET, within: parsed(parseDuration) };

/** Checks `health`, in its short form too. */
export const checkHealth: ValueCheck = (path, given) => {
  if (!isFields(given)) return [issue(path, given, '{ get: "http://127.0.0.1:7070/healthz", within: "30 s" }')];
  if ("get" in given) return checkFields(path, given, READINESS);
  return [
    ...checkPart(path, given, "readiness", (here, value) => checkFields(here, value, READINESS)),
    ...checkPart(path, given, "liveness", (here, value) =>
      checkFields(here, value, { ...GET, failures: whole(1, 20) }),
    ),
    ...unknownKeys(path, given, ["readiness", "liveness"]),
  ];
};

function checkPart(path: string, given: Fields, key: string, check: ValueCheck): Issue[] {
  return given[key] === undefined ? [] : check(at(path, key), given[key]);
}

export const checkNotify = oneOf("service", "probe", "none");

export const checkWatchdog: ValueCheck = (path, given) =>
  checkFields(path, given, {
    within: required('the longest between two signs of life, such as "30 s"', (here, value) => {
      const parsedValue = parseDuration(here, value);
      if (parsedValue.issue !== undefined) return issuesOf(parsedValue);
      return parsedValue.value >= 1 ? [] : [issue(here, value, 'at least "1 s"')];
    }),
    abortWithin: parsed(parseDuration),
  });

/** What only several of these arguments together say; each of them must be right. */
export function checkHealthTogether(health: Health): Issue[] {
  const { readiness, liveness, notify, watchdog } = health;
  const issues: Issue[] = [];
  if (notify === "probe" && readiness === undefined) {
    issues.push(issue("health", undefined, 'readiness, for notify "probe" asks it: { get: "http://…/healthz" }'));
  }
  if (watchdog !== undefined && notify === "none") {
    issues.push(issue("watchdog", undefined, 'health, or notify: "service": nobody gives signs of life'));
  }
  if (watchdog !== undefined && notify === "probe" && readiness !== undefined && liveness === undefined) {
    const wanted = "what the watchdog depends on: { readiness: { get }, liveness: { get } }";
    issues.push(issue("health.liveness", undefined, wanted));
  }
  if (liveness !== undefined && (watchdog === undefined || notify !== "probe")) {
    const wanted = watchdog === undefined ? 'watchdog: { within: "30 s" }' : 'notify: "probe"';
    issues.push(issue("health.liveness", undefined, `${wanted}, for without it nobody asks`));
  }
  if (liveness !== undefined && watchdog !== undefined && liveness.timeout > watchdog.within / 4) {
    const most = "at most a quarter of watchdog.within, for a slow answer must not hold up a sign of life";
    issues.push(issue("health.liveness.timeout", `${liveness.timeout} s`, most));
  }
  return issues;
}
