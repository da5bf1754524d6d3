import { isFields } from "../check";
import { below, checkFields, oneOf, parsed, whole, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { formatDuration, parseDuration, type Duration } from "../units";

/** What happens when the service ends by itself. See systemd.service(5) and systemd.unit(5). */
export interface RestartArgs {
  /**
   * When it is started again: after a failure (an exit status, a signal, the watchdog), however it ended, or never.
   * @default "on-failure"
   */
  readonly when?: "on-failure" | "always" | "no";
  /**
   * Pause before each start.
   * @default "1 s"
   */
  readonly after?: Duration;
  /**
   * A pause that grows: up to `grow.after`, in `steps` starts. systemd before 254 does not know it and keeps to
   * `restart.after`.
   * @default none
   */
  readonly grow?: { readonly after: Duration; readonly steps: number };
  /**
   * When it is not started again, because it fails too often; `"off"`: never.
   * @default after 5 starts, see {@link BreakerArgs}
   */
  readonly breaker?: BreakerArgs | "off";
}

/** Starts in a span of time after which systemd gives the service up, until somebody starts it again. */
export interface BreakerArgs {
  /**
   * Starts; 1 to 1000.
   * @default 5
   */
  readonly starts?: number;
  /**
   * In which they count. It must be longer than that many failing runs take, or the breaker never opens.
   * @default one and a half times what they take
   */
  readonly within?: Duration;
  /**
   * How long a run lasts that crashes.
   * @default "1 s"
   */
  readonly crashesAfter?: Duration;
}

/** {@link RestartArgs} with every default in place; seconds. */
export interface Restart {
  readonly when: "on-failure" | "always" | "no";
  readonly after: number;
  readonly grow: { readonly after: number; readonly steps: number } | undefined;
  readonly breaker: { readonly starts: number; readonly within: number } | undefined;
}

/** The longest that a failing run can last by other arguments; seconds, with the argument's name. */
export interface FailingRun {
  readonly seconds: number;
  readonly because: string;
}

const AFTER = 1;
const STARTS = 5;
const CRASHES_AFTER = 1;

/** Puts the defaults in place. The args must have passed {@link checkRestart}. */
export function resolveRestart(args: RestartArgs = {}, runs: readonly FailingRun[] = []): Restart {
  const { when = "on-failure", grow, breaker = {} } = args;
  const pauses = { after: span(args.after, AFTER), grow: grow && { after: span(grow.after, NaN), steps: grow.steps } };
  if (breaker === "off" || when === "no") return { when, ...pauses, breaker: undefined };
  const least = Math.ceil(1.5 * failing(breaker, pauses, runs).seconds);
  return { when, ...pauses, breaker: { starts: breaker.starts ?? STARTS, within: span(breaker.within, least) } };
}

/** How long as many failing runs take as open the breaker, each as long as it can be. */
function failing(breaker: BreakerArgs, { after, grow }: Pick<Restart, "after" | "grow">, runs: readonly FailingRun[]) {
  const starts = breaker.starts ?? STARTS;
  const crash: FailingRun = { seconds: span(breaker.crashesAfter, CRASHES_AFTER), because: "crashesAfter" };
  const longest = [crash, ...runs].reduce((a, b) => (b.seconds > a.seconds ? b : a));
  const pauses = Array.from({ length: starts }, (_, index) => pauseAfter(index, after, grow));
  return { seconds: pauses.reduce((sum, each) => sum + each, 0) + starts * longest.seconds, longest, starts };
}

/** The pause before a start, as systemd reckons it: it grows by the same factor in each step. */
function pauseAfter(restarts: number, after: number, grow: Restart["grow"]): number {
  if (grow === undefined || restarts === 0 || after === 0) return after;
  return restarts >= grow.steps ? grow.after : after * (grow.after / after) ** (restarts / grow.steps);
}

export const checkRestart: ValueCheck = (path, given) => {
  const duration = parsed(parseDuration);
  const issues = checkFields(path, given, {
    when: oneOf("on-failure", "always", "no"),
    after: duration,
    grow: (here, value) =>
      checkFields(here, value, {
        after: { required: 'the longest pause, such as "1 min"', check: duration },
        steps: { required: "a number of starts, such as 5", check: whole(1, 100) },
      }),
    breaker: (here, value) =>
      value === "off"
        ? []
        : checkFields(here, value, { starts: whole(1, 1000), within: duration, crashesAfter: duration }),
  });
  if (issues.length > 0 || !isFields(given)) return issues;
  const { after, grow } = given as RestartArgs;
  if (grow === undefined || span(grow.after, NaN) > span(after, AFTER)) return [];
  return [issue(below(path, "grow.after"), grow.after, "longer than restart.after")];
};

/** Whether the breaker can open at all, by the arithmetic of what else is known of the service. */
export function checkBreaker(args: RestartArgs, runs: readonly FailingRun[]): Issue[] {
  const { breaker } = args;
  if (breaker === undefined || breaker === "off" || breaker.within === undefined) return [];
  const { after, grow } = resolveRestart(args, runs);
  const { seconds, longest, starts } = failing(breaker, { after, grow }, runs);
  if (span(breaker.within, NaN) > seconds) return [];
  const needed = formatDuration(Math.ceil(seconds));
  const wanted =
    `longer than "${needed}": ${starts} starts, each failing after up to ${formatDuration(longest.seconds)} ` +
    `(${longest.because}), with the pauses between; else the breaker never opens`;
  return [issue("restart.breaker.within", breaker.within, wanted)];
}

function span(given: Duration | undefined, otherwise: number): number {
  return given === undefined ? otherwise : (parseDuration("", given).value ?? NaN);
}
