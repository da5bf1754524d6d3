import { checkFields, oneOf, type ValueCheck } from "../../field-checks";
import { issue } from "../../issues";
import { parseDuration, type Duration } from "../../units";

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

/** A signal that an agent may take as "finish your job". */
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** An {@link AgentStop} with every default in place. */
export interface ResolvedStop {
  readonly stopSignal: StopSignal;
  /** Seconds. */
  readonly stopWithin: number;
}

const WITHIN = "2 min";

/** @param usual the agent's own signal */
export function resolveStop({ signal, within = WITHIN }: AgentStop = {}, usual: StopSignal = "SIGTERM"): ResolvedStop {
  return { stopSignal: signal ?? usual, stopWithin: parseDuration("", within).value ?? NaN };
}

/** To systemd, 0 is for ever. */
const within: ValueCheck = (path, given) => {
  const { value, issue: wrong } = parseDuration(path, given);
  if (wrong) return [wrong];
  return value < 1 ? [issue(path, given, 'a duration of at least "1 s"; what clears up after a job has as long')] : [];
};

export function checkStop(isUnknown: (value: unknown) => boolean): ValueCheck {
  return (path, stop) => checkFields(path, stop, { signal: oneOf(...STOP_SIGNALS), within }, isUnknown);
}

/** For an agent whose signal is known. */
export function checkWithin(isUnknown: (value: unknown) => boolean): ValueCheck {
  return (path, stop) => checkFields(path, stop, { within }, isUnknown);
}
