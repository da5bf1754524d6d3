/** One total time for an operation, from which every wait and retry takes its share. */
export class Deadline {
  readonly #end: number;

  /** @param seconds from now */
  constructor(seconds: number) {
    this.#end = Date.now() + seconds * 1000;
  }

  /** Seconds left, never below zero. */
  get left(): number {
    return Math.max(0, (this.#end - Date.now()) / 1000);
  }

  get over(): boolean {
    return this.left === 0;
  }
}

const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 10;

/** Pauses between attempts: half a second, doubling to ten. */
export class Backoff {
  #next = FIRST_PAUSE;

  /** Waits, but not past the deadline. */
  async wait(deadline: Deadline): Promise<void> {
    const seconds = Math.min(this.#next, deadline.left);
    this.#next = Math.min(this.#next * 2, LONGEST_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
