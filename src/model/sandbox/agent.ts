import { at, type CheckOptions } from "../check";
import { issue, type Issue } from "../issues";
import { byKind, checkFields, line, oneOf, parsed, required, type ValueCheck } from "../field-checks";
import { parsePath, type AbsolutePath } from "../names";
import { parseDuration, type Duration } from "../units";

/** Any program of the hosts that takes one job, runs it and ends. */
export interface ExecAgent {
  readonly kind: "exec";
  /**
   * The program by its absolute path, then its arguments, passed as they are. Everybody on the host can read them: no
   * secrets.
   */
  readonly command: readonly [AbsolutePath, ...string[]];
  readonly stop?: AgentStop;
}

/** What takes jobs in a slot. */
export type Agent = ExecAgent;

/** How an agent is asked to end: when the host shuts down, and when its unit's settings change. */
export interface AgentStop {
  /**
   * What the agent takes as "finish your job and take no other".
   * @default "SIGTERM"
   */
  readonly signal?: StopSignal;
  /**
   * Time in which it may do so; what still runs then is killed.
   * @default "2 min"
   */
  readonly within?: Duration;
}

const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** An agent with every default in place. */
export interface ResolvedAgent {
  readonly command: readonly [AbsolutePath, ...string[]];
  readonly stopSignal: StopSignal;
  /** Seconds. */
  readonly stopWithin: number;
}

const WITHIN = "2 min";

/** Puts the defaults in place. The agent must have passed {@link checkAgent}. */
export function resolveAgent({ command, stop = {} }: Agent): ResolvedAgent {
  return {
    command,
    stopSignal: stop.signal ?? "SIGTERM",
    stopWithin: parseDuration("", stop.within ?? WITHIN).value ?? NaN,
  };
}

export function checkAgent(path: string, given: unknown, { isUnknown }: CheckOptions = {}): Issue[] {
  return byKind(
    {
      exec: {
        command: required('a command such as ["/usr/local/bin/runner", "--once"]', checkCommand),
        stop: (here, stop) =>
          checkFields(here, stop, { signal: oneOf(...STOP_SIGNALS), within: parsed(parseDuration) }, isUnknown),
      },
    },
    isUnknown,
  )(path, given);
}

/** A program by its absolute path, then arguments of one line each. */
export const checkCommand: ValueCheck = (path, given) => {
  const wanted = 'a program by its absolute path and its arguments, such as ["/usr/bin/env", "true"]';
  if (!Array.isArray(given) || given.length === 0) return [issue(path, given, wanted)];
  const [program, ...rest] = given as unknown[];
  const isProgram = parsePath("", program).issue === undefined;
  return [
    ...(isProgram ? [] : [issue(at(path, 0), program, "a program by its absolute path, without white space")]),
    ...rest.flatMap((word, index) => (word === "" ? [] : argument(at(path, index + 1), word))),
  ];
};

const oneLine = line("an argument");

/** systemd drops a line of a unit that holds a code point which is no character. */
const argument: ValueCheck = (path, given) =>
  typeof given === "string" && /\p{Noncharacter_Code_Point}/u.test(given)
    ? [issue(path, given, "an argument of Unicode characters")]
    : oneLine(path, given);
