/** Counts the operations under way, so that the process ends only when they are settled. */
export class Idle {
  #active = 0;
  readonly #stop = new AbortController();
  #leaving = false;

  /** @param whenIdle called once, when the process was asked to leave and nothing is under way any more. */
  constructor(private readonly whenIdle: () => void) {}

  /** Set once no further wave may begin, and what only waits is to end. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#active += 1;
    try {
      return await work();
    } finally {
      this.#active -= 1;
      // The answer has to be on its way to the engine first.
      if (this.#leaving && this.#active === 0) setTimeout(this.whenIdle, 500);
    }
  }

  /** What is under way is settled, nothing more is begun; the process stays, to answer the engine. */
  stop(): void {
    this.#stop.abort();
  }

  /** The same, and then the process ends. */
  leave(): void {
    this.#stop.abort();
    if (this.#leaving) return;
    this.#leaving = true;
    if (this.#active === 0) this.whenIdle();
  }
}
