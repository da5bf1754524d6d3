import { waves, type Rollout } from "../model/rollout";
import { toError } from "../model/thrown";
import { inParallel, type Outcome } from "./in-parallel";

/** A rollout as it was carried out. */
export interface RolloutResult<T> {
  /** Hosts that took the release and have it still; without a value those that were left as they are. */
  readonly done: ReadonlyMap<string, T | undefined>;
  /** Hosts that failed it, at once or later, with the reason. */
  readonly failed: ReadonlyMap<string, Error>;
  /**
   * Hosts that took it and were put back after a failure elsewhere, with where each keeps what is known of it; an error
   * where that failed too.
   */
  readonly rolledBack: ReadonlyMap<string, Outcome<string | undefined>>;
  /** Hosts no wave reached. */
  readonly untouched: readonly string[];
  /** What ended the rollout where no host failed: a gate, or too many hosts down. */
  readonly stopped: Error | undefined;
  /** True where the operator ended it before everything was done and judged. */
  readonly interrupted: boolean;
}

/** A wave that every host of it has passed. */
export interface PassedWave {
  readonly number: number;
  readonly of: number;
  /** True for the first wave in which a host took the release, and for the last. */
  readonly first: boolean;
  readonly last: boolean;
  /** Hosts of the wave that took it. */
  readonly hosts: readonly string[];
  /** Hosts of all waves so far that took it. */
  readonly all: readonly string[];
}

export interface RolloutSteps<T> {
  /** Puts the release on one host; throws if the host did not take it, gives nothing if it was left as it is. */
  apply(host: string): Promise<T | undefined>;
  /** Puts one host back, told why; gives where the host keeps what is known of the release it had. */
  rollBack(host: string, why: Error | undefined): Promise<string | undefined>;
  /** Told before each wave. */
  wave?(number: number, of: number, hosts: readonly string[]): void;
  /** Asked after each wave that every host passed; throws if the release is not good enough to go on. */
  judge?(wave: PassedWave): Promise<void>;
  /**
   * Asked of every host that took the release, before each next wave and at the end; throws where it has it no longer. Not
   * there: hosts keep what they took.
   */
  still?(host: string): Promise<void>;
  /** True stops before the next wave and during a gate; hosts that have the release keep it. */
  interrupted?(): boolean;
  wait?(seconds: number): Promise<void>;
  /** How many hosts of the wave may be worked on at once; throws where there is no room for any. */
  room?(hosts: readonly string[]): number;
}

/** Runs the rollout and settles it: when this returns, every host is decided. */
export function rollOut<T>(
  hosts: readonly string[],
  rollout: Rollout,
  steps: RolloutSteps<T>,
): Promise<RolloutResult<T>> {
  return new RolloutRun(hosts, rollout, steps).run();
}

class RolloutRun<T> {
  readonly #done = new Map<string, T | undefined>();
  readonly #failed = new Map<string, Error>();
  readonly #rolledBack = new Map<string, Outcome<string | undefined>>();
  #ahead: string[][];
  readonly #behind: (readonly string[])[] = [];
  /** True once a host took the release. */
  #taken = false;

  constructor(
    hosts: readonly string[],
    private readonly rollout: Rollout,
    private readonly steps: RolloutSteps<T>,
  ) {
    this.#ahead = waves(hosts, rollout);
  }

  async run(): Promise<RolloutResult<T>> {
    const { steps, rollout } = this;
    for (let wave = this.#ahead[0]; wave !== undefined; wave = this.#ahead[0]) {
      if (this.#interrupted) return this.#result({ interrupted: true });
      let room = rollout.parallel;
      try {
        room = Math.min(room, steps.room?.(wave) ?? room);
      } catch (error) {
        // Going back would take more hosts down, and it is not the release that failed.
        return this.#result({ stopped: toError(error) });
      }
      await this.#take(wave, room);
      const verdict = this.#failed.size > 0 ? undefined : await this.#judged(wave);
      const passed = this.#failed.size === 0 && verdict === undefined && !this.#interrupted;
      if (passed && this.#ahead.length > 0 && rollout.pause > 0) await steps.wait?.(rollout.pause);
      await this.#findMoved();
      if (this.#failed.size === 0 && verdict === undefined) continue;
      // A gate that was ended has no verdict: what the hosts have stays.
      const stopped = this.#interrupted ? undefined : verdict;
      if (this.#failed.size === 0 && stopped === undefined) return this.#result({ interrupted: true });
      await this.#goBack(this.#wavesToBlame(stopped && wave), room, stopped);
      return this.#result({ stopped });
    }
    return this.#result({});
  }

  async #take(wave: readonly string[], room: number): Promise<void> {
    this.#behind.push(wave);
    this.steps.wave?.(this.#begun, this.#begun + this.#ahead.length - 1, wave);
    for (const [host, outcome] of await inParallel(wave, room, (host) => this.steps.apply(host))) {
      if (outcome.ok) this.#done.set(host, outcome.value);
      else this.#failed.set(host, outcome.error);
    }
    this.#ahead = this.#ahead.slice(1);
  }

  /** What the gates have against the wave. */
  async #judged(wave: readonly string[]): Promise<Error | undefined> {
    const hosts = wave.filter((host) => this.#took(host));
    const first = !this.#taken;
    const last = this.#ahead.length === 0;
    this.#taken ||= hosts.length > 0;
    if (!this.#taken) {
      // Canaries that nobody could reach prove nothing: the next hosts are canaries instead.
      this.#ahead = waves(this.#ahead.flat(), this.rollout);
      return undefined;
    }
    const all = this.#allThatTook;
    const of = this.#begun + this.#ahead.length;
    try {
      await this.steps.judge?.({ number: this.#begun, of, first, last, hosts, all });
      return undefined;
    } catch (error) {
      return toError(error);
    }
  }

  /** Hosts that have gone back by themselves since they took it have failed it. */
  async #findMoved(): Promise<void> {
    const { steps, rollout } = this;
    if (steps.still === undefined) return;
    const asked = await inParallel(this.#allThatTook, rollout.parallel, async (host) => steps.still?.(host));
    for (const [host, outcome] of asked) {
      if (outcome.ok) continue;
      this.#done.delete(host);
      this.#failed.set(host, outcome.error);
    }
  }

  /** The wave that a gate refused, and those with a host that failed. */
  #wavesToBlame(refused: readonly string[] | undefined): string[] {
    return this.#behind.filter((wave) => wave === refused || wave.some((host) => this.#failed.has(host))).flat();
  }

  async #goBack(batch: readonly string[], room: number, why: Error | undefined): Promise<void> {
    const back = { stop: [], "rollback-batch": batch, rollback: [...this.#done.keys()] }[this.rollout.onFailure];
    const here = back.filter((host) => this.#done.has(host));
    for (const [host, outcome] of await inParallel(here, room, (host) => this.steps.rollBack(host, why))) {
      this.#done.delete(host);
      this.#rolledBack.set(host, outcome);
    }
  }

  #took(host: string): boolean {
    return this.#done.get(host) !== undefined;
  }

  get #allThatTook(): string[] {
    return [...this.#done.keys()].filter((host) => this.#took(host)).sort();
  }

  /** Waves begun so far. */
  get #begun(): number {
    return this.#behind.length;
  }

  get #interrupted(): boolean {
    return this.steps.interrupted?.() === true;
  }

  #result({ stopped, interrupted = false }: { stopped?: Error | undefined; interrupted?: boolean }): RolloutResult<T> {
    return {
      done: this.#done,
      failed: this.#failed,
      rolledBack: this.#rolledBack,
      untouched: this.#ahead.flat(),
      stopped,
      interrupted,
    };
  }
}
