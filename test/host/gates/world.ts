import type { Clock } from "../../../src/host/gates/clock";
import type { GateRun, GateWave } from "../../../src/host/gates/gate-run";

/** A Tuesday, in seconds since 1970. */
const EPOCH = 1_700_000_000;

/** Time that jumps to the next sleeper whenever nobody has anything else to do. */
export class FakeClock implements Clock {
  #now = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  epoch(): number {
    return EPOCH + this.#now / 1000;
  }

  sleep(seconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
      this.#sleepers.push({ at: this.#now + seconds * 1000, wake });
      setImmediate(() => this.#advance());
    });
  }

  #advance(): void {
    const next = Math.min(...this.#sleepers.map(({ at }) => at));
    if (!Number.isFinite(next)) return;
    this.#now = Math.max(this.#now, next);
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}

export const WAVE: GateWave = {
  number: 1,
  of: 3,
  hosts: [
    { key: "rack-1", address: "10.0.0.1" },
    { key: "rack-2", address: "fd00::2" },
  ],
  component: "buildcache",
  from: "aaaaaaaaaaaaaaaa",
  to: "bbbbbbbbbbbbbbbb",
};

/** A run of a gate that writes down what it says. */
export function gateRun(more: Partial<GateRun> = {}): GateRun & { readonly said: string[]; readonly clock: FakeClock } {
  const said: string[] = [];
  return {
    wave: WAVE,
    signal: new AbortController().signal,
    secret: undefined,
    status: (text) => void said.push(text),
    info: (text) => void said.push(text),
    ...more,
    clock: new FakeClock(),
    said,
  };
}
