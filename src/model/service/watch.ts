import { at, isFields, type CheckOptions } from "../check";
import { checkFields, flag, line, listOf, oneOf, parsed, whole, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parseComponentName } from "../names";
import { parseDuration, type Duration } from "../units";

/**
 * What a look at a service can find. Each is a fact of systemd, of the kernel or of the service itself:
 * `exit`: its process ended with a code that `exitCodes` holds against it; `failed`: systemd gave the unit up;
 * `oom`: the kernel killed it for memory; `watchdog`: it hung, and its watchdog ended it; `restarts`: it was restarted too
 * often; `readiness`: its readiness probe failed too often in a row; `log`: a pattern was found in its log.
 */
export const WATCH_SIGNALS = ["exit", "failed", "oom", "watchdog", "restarts", "readiness", "log"] as const;
/** One of {@link WATCH_SIGNALS}. */
export type WatchSignal = (typeof WATCH_SIGNALS)[number];

/** What an exit code says of a release: it must go, it is noted, or nothing. */
export type ExitVerdict = "revert" | "note" | "ignore";

/** How a host looks after a service by itself after a switch. */
export interface WatchArgs {
  /**
   * How long, from the moment the release settled. A reboot interrupts it: it goes on with what is left.
   * @default "10 min"
   */
  readonly window?: Duration;
  /**
   * Time between two looks.
   * @default "10 s"
   */
  readonly every?: Duration;
  /**
   * False: what the watch finds is only noted on the host; it takes nothing back. For a release that nothing may take back
   * there is `rollback: { revert: false }`.
   * @default true
   */
  readonly revert?: boolean;
  /**
   * Directories of other components on the same host that go back with this one, if they took a release within their own
   * windows; the last one switched goes back first.
   * @default none
   */
  readonly together?: readonly string[];
  /**
   * What an exit code of the service's process says; 128 + n stands for signal n, `other` for every code but 0 that is not
   * named. A stop that was asked for does not count.
   * @default { "1": "revert", "2": "revert", "126": "revert", "127": "revert", "203": "revert", "143": "ignore", other: "note" }
   */
  readonly exitCodes?: Readonly<Record<string, ExitVerdict>>;
  /**
   * How often systemd may restart it within the window.
   * @default 2
   */
  readonly restarts?: number;
  /**
   * Looks in a row at which the readiness probe fails. Without such a probe it is not asked.
   * @default 3
   */
  readonly readinessFailures?: number;
  /**
   * Patterns in the service's log.
   * @default [{ pattern: "timeout|deadlock|connection refused", count: 10, within: "1 min" }]
   */
  readonly logs?: readonly WatchLogArgs[];
  /**
   * Signals of which each alone is enough to go back.
   * @default ["exit", "failed", "oom", "watchdog", "restarts", "readiness"]
   */
  readonly any?: readonly WatchSignal[];
  /**
   * Groups of signals; a group whose signals are all there at one look is enough.
   * @default none
   */
  readonly all?: readonly (readonly WatchSignal[])[];
  /**
   * Weights of signals, and the sum at one look that is enough. Prefer `any` and `all`, which say why.
   * @default none
   */
  readonly score?: { readonly weights: Readonly<Partial<Record<WatchSignal, number>>>; readonly threshold: number };
}

/** Lines of the service's log that say something is wrong. */
export interface WatchLogArgs {
  /** An extended regular expression of POSIX; case does not count. */
  readonly pattern: string;
  /**
   * Lines that match.
   * @default 10
   */
  readonly count?: number;
  /**
   * The time they must fall into.
   * @default "1 min"
   */
  readonly within?: Duration;
}

/** {@link WatchArgs} with every default in place; times in seconds. */
export interface Watch {
  readonly window: number;
  readonly every: number;
  readonly revert: boolean;
  readonly together: readonly string[];
  readonly exitCodes: Readonly<Record<string, ExitVerdict>>;
  readonly restarts: number;
  readonly readinessFailures: number;
  readonly logs: readonly { readonly pattern: string; readonly count: number; readonly within: number }[];
  readonly any: readonly WatchSignal[];
  readonly all: readonly (readonly WatchSignal[])[];
  readonly score?: { readonly weights: Readonly<Partial<Record<WatchSignal, number>>>; readonly threshold: number };
}

/**
 * 1 is what `log.Fatal` ends with and 2 a panic; 126 and 127 a shell that could not start the program, 203 systemd
 * itself; 143 is SIGTERM, by which a service is asked to end. 137 is any SIGKILL: whether it was for memory is told by
 * the kernel's own counter, not by the code.
 */
const EXIT_CODES: Readonly<Record<string, ExitVerdict>> = {
  "1": "revert",
  "2": "revert",
  "126": "revert",
  "127": "revert",
  "143": "ignore",
  "203": "revert",
  other: "note",
};
const ANY: readonly WatchSignal[] = ["exit", "failed", "oom", "watchdog", "restarts", "readiness"];
const LOGS: readonly WatchLogArgs[] = [{ pattern: "timeout|deadlock|connection refused" }];

/** Puts the defaults in place. The args must have passed {@link checkWatch}. */
export function resolveWatch(args: WatchArgs = {}): Watch {
  const seconds = (given: Duration): number => parseDuration("", given).value ?? NaN;
  return {
    window: seconds(args.window ?? "10 min"),
    every: seconds(args.every ?? "10 s"),
    revert: args.revert ?? true,
    together: args.together ?? [],
    exitCodes: { ...EXIT_CODES, ...args.exitCodes },
    restarts: args.restarts ?? 2,
    readinessFailures: args.readinessFailures ?? 3,
    logs: (args.logs ?? LOGS).map(({ pattern, count = 10, within = "1 min" }) => ({
      pattern,
      count,
      within: seconds(within),
    })),
    any: args.any ?? ANY,
    all: args.all ?? [],
    ...(args.score === undefined ? {} : { score: args.score }),
  };
}

/** What is wrong with {@link WatchArgs} as a program gave them. */
export function checkWatch(path: string, given: unknown, { isUnknown = () => false }: CheckOptions = {}): Issue[] {
  const signal = oneOf(...WATCH_SIGNALS);
  const issues = checkFields(
    path,
    given,
    {
      window: span(60, 24 * 3600, 'a duration from "1 min" to "24 h"'),
      every: span(1, 600, 'a duration from "1 s" to "10 min"'),
      revert: flag,
      together: orNone(listOf(parsed(parseComponentName), "component directories", isUnknown)),
      exitCodes,
      restarts: whole(0, 1000),
      readinessFailures: whole(1, 100),
      logs: orNone(listOf(logRule, "patterns", isUnknown)),
      any: orNone(listOf(signal, WATCH_SIGNALS.join(", "), isUnknown)),
      all: orNone(listOf(listOf(signal, WATCH_SIGNALS.join(", "), isUnknown), "groups of signals", isUnknown)),
      score,
    },
    isUnknown,
  );
  if (issues.length > 0 || !isFields(given) || isUnknown(given["window"]) || isUnknown(given["every"])) return issues;
  const { window, every } = resolveWatch(given as WatchArgs);
  return every < window ? [] : [issue(at(path, "every"), `${every} s`, `less than the window, ${window} s`)];
}

/** A list that may be empty. */
function orNone(check: ValueCheck): ValueCheck {
  return (path, given) => (Array.isArray(given) && given.length === 0 ? [] : check(path, given));
}

function span(least: number, most: number, wanted: string): ValueCheck {
  return parsed((path, given) => {
    const seconds = parseDuration(path, given);
    if (seconds.issue !== undefined) return seconds;
    const fits = Number.isInteger(seconds.value) && seconds.value >= least && seconds.value <= most;
    return fits ? seconds : { issue: issue(path, given, `${wanted}, in whole seconds`) };
  });
}

const exitCodes: ValueCheck = (path, given) => {
  if (!isFields(given)) return [issue(path, given, '{ "1": "revert", "137": "note", other: "ignore" }')];
  return Object.entries(given).flatMap(([code, verdict]) => [
    ...(code === "other" || (/^[1-9]\d{0,2}$/.test(code) && Number(code) < 256)
      ? []
      : [issue(at(path, code), code, 'an exit code from 1 to 255, or "other"')]),
    ...oneOf("revert", "note", "ignore")(at(path, code), verdict),
  ]);
};

const logRule: ValueCheck = (path, given) => {
  const issues = checkFields(path, given, {
    pattern: { required: "a regular expression", check: line("a regular expression of at most 500 characters") },
    count: whole(1, 100_000),
    within: span(1, 3600, 'a duration from "1 s" to "1 h"'),
  });
  const pattern = isFields(given) ? given["pattern"] : undefined;
  if (issues.length > 0 || typeof pattern !== "string") return issues;
  if (pattern.length > 500) return [issue(at(path, "pattern"), pattern, "at most 500 characters")];
  return /\(\?|\\[dDwWsSbB]/.test(pattern)
    ? [issue(at(path, "pattern"), pattern, "POSIX syntax: [0-9] for \\d, no (?…); case does not count anyway")]
    : [];
};

const score: ValueCheck = (path, given) => {
  const positive: ValueCheck = (here, value) =>
    typeof value === "number" && Number.isFinite(value) && value > 0 && value <= 1000
      ? []
      : [issue(here, value, "a number above 0, at most 1000")];
  const weights: ValueCheck = (here, value) =>
    checkFields(here, value, Object.fromEntries(WATCH_SIGNALS.map((each) => [each, positive])));
  return checkFields(path, given, {
    weights: { required: "a weight for each signal that counts", check: weights },
    threshold: { required: "the sum that is enough", check: positive },
  });
};
