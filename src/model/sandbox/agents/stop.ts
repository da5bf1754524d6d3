import { checkFields, oneOf, parsed, type ValueCheck } from "../../field-checks";
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

export function checkStop(isUnknown: (value: unknown) => boolean): ValueCheck {
  return (path, stop) =>
    checkFields(path, stop, { signal: oneOf(...STOP_SIGNALS), within: parsed(parseDuration) }, isUnknown);
}

/** For an agent whose signal is known. */
export function checkWithin(isUnknown: (value: unknown) => boolean): ValueCheck {
  return (path, stop) => checkFields(path, stop, { within: parsed(parseDuration) }, isUnknown);
}
