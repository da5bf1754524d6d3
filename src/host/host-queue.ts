/** Operations of one run on one host, one after the other; different hosts go on side by side. */
export class HostQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Runs `work` when everything queued before it for the host has ended, however it ended. */
  run<T>(host: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(host) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#tails.set(
      host,
      mine.catch(() => undefined),
    );
    return mine;
  }
}
