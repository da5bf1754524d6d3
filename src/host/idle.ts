/** Counts the operations under way, so that an interrupt ends the process only when they are settled. */
export class Idle {
  #active = 0;
  #stopping = false;

  /** @param whenIdle called once, when a stop was asked for and nothing is under way any more. */
  constructor(private readonly whenIdle: () => void) {}

  get stopping(): boolean {
    return this.#stopping;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#active += 1;
    try {
      return await work();
    } finally {
      this.#active -= 1;
      // The answer has to be on its way to the engine first.
      if (this.#stopping && this.#active === 0) setTimeout(this.whenIdle, 500);
    }
  }

  stop(): void {
    this.#stopping = true;
    if (this.#active === 0) this.whenIdle();
  }
}
