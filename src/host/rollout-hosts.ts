import { messageOf } from "../model/thrown";
import type { Connect } from "./connect";
import { MovedError } from "./errors";
import type { Clock } from "./gates/clock";
import { GateFailure } from "./gates/gate-run";
import type { HostQueue } from "./host-queue";
import { HostComponent, type HostState } from "./host-component";
import { prepare, type PreparedRelease } from "./prepared-release";
import { inParallel } from "./in-parallel";
import type { PoolRoom } from "./pool-room";
import type { Progress } from "./progress";
import { parseActual, type Actual, type ReleaseInputs, type ReleaseState } from "./release";
import { beforeRollout, UNKNOWN } from "./release-outcome";
import type { RolloutResult } from "./rollout";
import type { RolloutRow } from "./rollout-row";
import { RolloutWatch } from "./rollout-watch";
import { UnreachableError } from "./transport";

export interface RolloutHostsOptions {
  readonly connect: Connect;
  readonly progress: Progress;
  readonly queue: HostQueue;
  readonly clock: Clock;
  readonly row: RolloutRow;
  readonly room: PoolRoom;
}

/** For questions asked in between: what matters of the answers is an error. */
const SILENT: Progress = { status: () => undefined, info: () => undefined, warn: () => undefined };

/** What one rollout does on its hosts. */
export class RolloutHosts {
  /** Where hosts look after the release by themselves, and may take it back. */
  readonly watch: RolloutWatch | undefined;

  constructor(
    private readonly olds: ReleaseState,
    private readonly news: ReleaseInputs,
    private readonly release: PreparedRelease,
    private readonly options: RolloutHostsOptions,
  ) {
    const { watch } = release.plan;
    if (watch?.onTrip !== "revert") return;
    this.watch = new RolloutWatch({
      interval: watch.interval,
      parallel: news.rollout.parallel,
      clock: options.clock,
      ask: (host, taken) => this.#on(host, SILENT, (there) => there.expectStill(release.id, taken)),
    });
  }

  /** Puts the release on; gives nothing where the host cannot be reached and stays as it is. */
  async apply(host: string): Promise<HostState | undefined> {
    const { olds, release } = this;
    const { clock, row } = this.options;
    const before = parseActual(olds.actual[host]);
    const began = before?.release === release.id ? undefined : clock.now();
    try {
      const state = await this.#on(host, row.ofHosts, (there) => there.apply(release, before));
      row.hostDone(host);
      this.watch?.took(host, state.actual, began);
      return state;
    } catch (error) {
      if (!(error instanceof UnreachableError) || error.started) throw error;
      this.#lost(host, error, "left as it is, the next update tries again");
      return undefined;
    }
  }

  /** Puts the host back; gives where it keeps what is known of the release it had. */
  async rollBack(host: string, why: Error | undefined): Promise<string | undefined> {
    const { olds, release } = this;
    const before = this.#before(host);
    if (before?.release === release.id) return undefined;
    // After a half-failed rollout a host may have been on a release that is not the state's; its own copy serves then.
    const old = before === undefined ? undefined : prepare(olds, olds.key);
    const whole = old?.id === before?.release ? old : undefined;
    return this.#on(host, this.options.progress, (there) => there.goBack(before, whole, release.id, why?.message));
  }

  /** Throws where a host that took the release has it no longer. */
  async still(host: string): Promise<void> {
    try {
      await this.watch?.still(host);
    } catch (error) {
      if (error instanceof MovedError) throw error;
      if (!(error instanceof UnreachableError)) throw new MovedError(messageOf(error), UNKNOWN);
      this.#lost(host, new UnreachableError(error.message, true), "it may have gone back since it took the release");
    }
  }

  /**
   * Tells the hooks of what failed after a host had taken the release: the host went back by itself, or a gate refused it.
   * Comes last, for going back must not wait for hooks.
   */
  async tellHooks({ failed, stopped }: RolloutResult<HostState>, judged: readonly string[]): Promise<void> {
    const { news, release } = this;
    if (news.hooks === undefined) return;
    const told = new Map<string, Error>();
    if (stopped instanceof GateFailure) for (const host of judged) told.set(host, stopped);
    for (const [host, error] of failed) if (error instanceof MovedError) told.set(host, error);
    await inParallel([...told.keys()], news.rollout.parallel, async (host) => {
      const why = told.get(host);
      await this.#on(host, this.options.progress, (there) => there.afterFailure(why, release.id, this.#before(host)));
    });
  }

  /** A host that cannot be reached, where that does not make the update fail. */
  #lost(host: string, error: UnreachableError, meaning: string): void {
    if (this.news.policy.unreachable === "fail") throw error;
    this.options.room.lost(host);
    this.options.progress.warn(`${error.message}; ${meaning}`);
  }

  #before(host: string): Actual | undefined {
    return beforeRollout(this.olds, host, this.release.id);
  }

  #on<T>(host: string, progress: Progress, work: (there: HostComponent) => Promise<T>): Promise<T> {
    const { connect, queue } = this.options;
    const { news: inputs, olds } = this;
    return queue.run(inputs.hosts[host] ?? host, () =>
      work(new HostComponent(host, { inputs, instance: olds.instance, connect, progress })),
    );
  }
}
