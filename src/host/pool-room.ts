import { mostUnavailable, type Rollout } from "../model/rollout";

/** How many hosts of a pool may still be taken down, with those in mind that cannot be reached anyway. */
export class PoolRoom {
  readonly #down = new Set<string>();
  readonly #most: number;

  /** @param pool all hosts of the pool, whether they have to be visited or not */
  constructor(
    rollout: Pick<Rollout, "maxUnavailable">,
    private readonly pool: number,
  ) {
    this.#most = mostUnavailable(rollout, pool);
  }

  /** A host that cannot be reached. */
  lost(host: string): void {
    this.#down.add(host);
  }

  /** Hosts of a wave that may be worked on at once; an error where there is no room for any. */
  for(wave: readonly string[]): number {
    const up = wave.filter((host) => !this.#down.has(host));
    const left = this.#most - this.#down.size;
    if (up.length === 0) return wave.length;
    if (left >= 1) return left;
    const down = [...this.#down].sort().join(", ");
    throw new Error(
      `${this.#down.size} of ${this.pool} hosts cannot be reached (${down}) and at most ${this.#most} may be down at once\n` +
        "  → bring them back, take them out of the pool, or raise rollout.maxUnavailable",
    );
  }
}
