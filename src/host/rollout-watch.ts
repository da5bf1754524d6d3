import type { Clock } from "./gates/clock";
import { GateStopped } from "./gates/gate-run";
import { inParallel } from "./in-parallel";
import { MovedError } from "./errors";
import type { Actual } from "./release";

/** Seconds between two questions while a gate or a pause takes its time. */
const EVERY = 30;

export interface RolloutWatchOptions {
  /** Seconds between two looks of a host at its release. */
  readonly interval: number;
  /** Hosts that are asked at once. */
  readonly parallel: number;
  readonly clock: Clock;
  /** Throws a {@link MovedError} where the host has the release no longer. */
  readonly ask: (host: string, taken: Actual) => Promise<void>;
}

/**
 * Hosts that took a release look after it by themselves from then on, and may go back while the rollout is elsewhere: in a
 * gate, a pause or another wave.
 */
export class RolloutWatch {
  /** What each host took, and the moment before which it cannot have looked at it. */
  readonly #taken = new Map<string, { readonly actual: Actual; readonly firstLook: number }>();
  /** What has gone back stays so, also where the host does not answer any more. */
  readonly #moved = new Map<string, MovedError>();

  constructor(private readonly options: RolloutWatchOptions) {}

  /** @param began when the release was sent; undefined where the host had it already */
  took(host: string, actual: Actual, began: number | undefined): void {
    const firstLook = began === undefined ? -Infinity : began + this.options.interval * 1000;
    this.#taken.set(host, { actual, firstLook });
  }

  /** Asks the host, unless it cannot have gone back yet: a rollout without gates and pauses costs nothing more. */
  async still(host: string): Promise<void> {
    const { clock, ask } = this.options;
    const taken = this.#taken.get(host);
    if (taken === undefined || clock.now() < taken.firstLook) return;
    const known = this.#moved.get(host);
    if (known !== undefined) throw known;
    try {
      await ask(host, taken.actual);
    } catch (error) {
      if (error instanceof MovedError) this.#moved.set(host, error);
      throw error;
    }
  }

  /**
   * Does what takes long, and ends it when a host has gone back meanwhile: nobody shall wait, or approve, for a release that
   * is gone. What went back is for {@link still} to say.
   */
  async during(stop: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const [moved, over] = [new AbortController(), new AbortController()];
    const looking = this.#look(AbortSignal.any([stop, over.signal]), moved);
    try {
      await work(AbortSignal.any([stop, moved.signal]));
    } catch (error) {
      if (!moved.signal.aborted || !(error instanceof GateStopped)) throw error;
    } finally {
      over.abort();
      await looking;
    }
  }

  async #look(end: AbortSignal, moved: AbortController): Promise<void> {
    const { clock, parallel } = this.options;
    for (;;) {
      await clock.sleep(EVERY, end);
      if (end.aborted) return;
      const outcomes = await inParallel([...this.#taken.keys()], parallel, (host) =>
        end.aborted ? Promise.resolve() : this.still(host),
      );
      // A host that does not answer now may have done so before the next wave.
      if ([...outcomes.values()].some((outcome) => !outcome.ok && outcome.error instanceof MovedError)) moved.abort();
    }
  }
}
