/** Time as gates see it; tests have one of their own. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Seconds since 1970, for queries of the past. */
  epoch(): number;
  /** Returns early, without an error, when the signal says so. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

export const REAL_CLOCK: Clock = {
  // Not the wall clock: that one may be set while a gate waits.
  now: () => performance.now(),
  epoch: () => Date.now() / 1000,
  sleep: (seconds, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, seconds * 1000);
      signal.addEventListener("abort", wake);
    }),
};

/** `3 min left`, `40 s left`; in steps that a person can read as they pass. */
export function left(seconds: number): string {
  if (seconds >= 7200) return `${Math.ceil(seconds / 3600)} h left`;
  if (seconds >= 120) return `${Math.ceil(seconds / 60)} min left`;
  if (seconds >= 10) return `${Math.ceil(seconds / 10) * 10} s left`;
  return `${Math.max(0, Math.ceil(seconds))} s left`;
}
