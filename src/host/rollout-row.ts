import type { Progress } from "./progress";

/** Keys named on the row. */
const NAMED = 4;

/** A rollout's line on the resource's row: where it is, then what happens there. One host alone needs no such line. */
export class RolloutRow {
  #wave = "";
  #done = 0;
  #said = "";

  /** @param total hosts of the rollout */
  constructor(
    private readonly progress: Progress,
    private readonly total: number,
  ) {}

  /** For one host's own messages. */
  get ofHosts(): Progress {
    const { info, warn } = this.progress;
    return { info, warn, status: (message) => this.say(message) };
  }

  wave(number: number, of: number, hosts: readonly string[]): void {
    this.#wave = `wave ${number} of ${of}`;
    const more = hosts.length - NAMED;
    if (this.total > 1) this.say(`${hosts.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`);
  }

  hostDone(host: string): void {
    this.#done += 1;
    if (this.total > 1) this.say(`${host} done`);
  }

  say(message: string): void {
    const where =
      this.total > 1 && this.#wave !== "" ? `${this.#wave}, ${this.#done} of ${this.total} hosts done: ` : "";
    const line = `${where}${message}`;
    if (line === this.#said) return;
    this.#said = line;
    this.progress.status(line);
  }
}
