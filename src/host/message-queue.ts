/** One message for the engine's display; `live` is replaced by the next one and need not be seen. */
export interface Message {
  readonly live: boolean;
  readonly send: () => Promise<void>;
}

/** Live messages that wait; older ones give way then. */
const MOST = 32;

/** Sends one message after the other: side by side they would reach the display in any order. */
export class MessageQueue {
  #waiting: Message[] = [];
  #sending: Promise<void> | undefined;

  add(message: Message): void {
    this.#waiting.push(message);
    const live = this.#waiting.filter((each) => each.live);
    if (live.length > MOST) this.#waiting = this.#waiting.filter((each) => each !== live[0]);
    this.#sending ??= this.#sendAll();
  }

  /** Settles when nothing waits any more. */
  async sent(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      // A display that is gone must not fail the work on the hosts.
      await next.send().catch(() => undefined);
    }
    this.#sending = undefined;
  }
}
