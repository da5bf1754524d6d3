import { messageOf } from "../model/thrown";
import type { Connect } from "./connect";
import { REAL_CLOCK, type Clock } from "./gates/clock";
import { HostQueue } from "./host-queue";
import { HostComponent, type HostState } from "./host-component";
import { wantedRelease } from "./prepared-release";
import { inParallel } from "./in-parallel";
import { refusalOf } from "./kept";
import { PoolRoom } from "./pool-room";
import type { Progress } from "./progress";
import { reasonGiven, requireReason } from "./reason";
import { parseActual, type ReleaseInputs, type ReleaseState } from "./release";
import { failureAfter, isComplete, partialFailure, plainFailure, stateAfter } from "./release-outcome";
import { rollOut } from "./rollout";
import { RolloutGates } from "./rollout-gates";
import { RolloutHosts } from "./rollout-hosts";
import { RolloutRow } from "./rollout-row";
import type { RolloutWatch } from "./rollout-watch";
import { newInstance, newKey } from "./secrets";
import { UnreachableError } from "./transport";

export interface ManagerOptions {
  readonly connect: Connect;
  readonly progress: Progress;
  /** Set once the operator asked to stop: the wave in progress is settled, gates are ended, no other wave begins. */
  readonly stop: AbortSignal;
  readonly queue: HostQueue;
  /** @default the real one */
  readonly clock?: Clock;
}

/** Carries one release resource through its life: the whole rollout over all its hosts is one call. */
export class ReleaseManager {
  constructor(private readonly options: ManagerOptions) {}

  async create(inputs: ReleaseInputs): Promise<ReleaseState> {
    const seed: ReleaseState = { ...inputs, instance: newInstance(), key: newKey(), actual: {}, readings: {} };
    return this.#roll(seed, inputs, Object.keys(inputs.hosts));
  }

  async update(olds: ReleaseState, news: ReleaseInputs): Promise<ReleaseState> {
    const lines = new Set(Object.values(news.hosts));
    requireReason(
      olds,
      Object.keys(olds.hosts).filter((host) => !(host in news.hosts) && !lines.has(olds.hosts[host] ?? "")),
    );
    const wanted = wantedRelease(news, olds.key).id;
    // Gates judge waves: a rollout that did not come to its end is begun again, and hosts that have it are left as they
    // are. One that is irreversible may be on a host where it failed.
    const judged = (news.rollout.gates ?? []).length > 0 || news.plan.irreversible === true;
    const again = olds.unfinished === wanted && judged;
    const hosts = Object.keys(news.hosts).filter((host) => again || needsWork(host, wanted, olds, news));
    const state = await this.#roll(olds, news, hosts);
    await this.#dropRemoved(olds, state);
    return state;
  }

  /** Takes the component off every host it is on. */
  async delete(state: ReleaseState): Promise<void> {
    requireReason(state, Object.keys(state.hosts));
    await this.#removeFrom(state, Object.keys(state.hosts));
  }

  async #roll(olds: ReleaseState, news: ReleaseInputs, hosts: readonly string[]): Promise<ReleaseState> {
    // One that cannot be written down is refused now, not on the first host.
    reasonGiven();
    await this.#requireKept(olds, news, hosts);
    const release = wantedRelease(news, olds.key);
    const { connect, progress, queue, stop, clock = REAL_CLOCK } = this.options;
    const row = new RolloutRow(progress, hosts.length);
    const room = new PoolRoom(news.rollout, Object.keys(news.hosts).length);
    const gates = new RolloutGates(olds, news, release.id);
    const there = new RolloutHosts(olds, news, release, { connect, progress, queue, clock, row, room });
    const { watch } = there;
    const during: RolloutWatch["during"] = (end, work) => (watch === undefined ? work(end) : watch.during(end, work));
    if (hosts.length > 0 && news.rollout.maxUnavailable !== undefined) await this.#findLost(olds, news, room);
    // Hosts that took a release which is irreversible keep it, whatever fails elsewhere.
    const onFailure = release.plan.irreversible === true ? "stop" : news.rollout.onFailure;
    let judged: readonly string[] = [];
    const result = await rollOut<HostState>(
      hosts,
      { ...news.rollout, onFailure },
      {
        apply: (host) => there.apply(host),
        rollBack: (host, why) => there.rollBack(host, why),
        wave: (number, of, members) => row.wave(number, of, members),
        judge: async (wave) => {
          judged = wave.hosts;
          await during(stop, (end) => gates.judge(wave, { row, progress, stop: end, clock }));
        },
        wait: (seconds) => during(stop, (end) => clock.sleep(seconds, end)),
        ...(watch === undefined ? {} : { still: (host) => there.still(host) }),
        interrupted: () => stop.aborted,
        room: (wave) => room.for(wave),
      },
    );
    await there.tellHooks(result, judged);
    if (isComplete(result)) return stateAfter(olds, news, result);
    throw failureAfter(olds, news, release.id, result);
  }

  /** A pinned release comes from the hosts themselves: all are asked before one is touched. */
  async #requireKept(olds: ReleaseState, news: ReleaseInputs, hosts: readonly string[]): Promise<void> {
    if (news.pin === undefined) return;
    const asked = await inParallel(hosts, news.rollout.parallel, (host) =>
      this.#queued(news, host, () => this.#on(news, olds, host).kept(parseActual(olds.actual[host]))),
    );
    for (const [host, outcome] of asked) {
      // The rollout leaves such a host as it is, and says so.
      const left = !outcome.ok && outcome.error instanceof UnreachableError && news.policy.unreachable !== "fail";
      if (left) asked.delete(host);
    }
    const refusal = refusalOf(news.component, news.pin, asked);
    if (refusal !== undefined) throw refusal;
  }

  /** Looks which hosts of the pool are down before any is touched. */
  async #findLost(olds: ReleaseState, news: ReleaseInputs, room: PoolRoom): Promise<void> {
    const { progress } = this.options;
    const hosts = Object.keys(news.hosts);
    progress.status(`looking which of ${hosts.length} hosts can be reached`);
    const outcomes = await inParallel(hosts, news.rollout.parallel, (host) =>
      this.#queued(news, host, () => this.#on(news, olds, host).read(parseActual(olds.actual[host]))),
    );
    const lost = [...outcomes].filter(([, outcome]) => !outcome.ok && outcome.error instanceof UnreachableError);
    for (const [host] of lost) room.lost(host);
    if (lost.length === 0 || news.policy.unreachable !== "fail") return;
    throw plainFailure(
      "",
      lost.flatMap(([, outcome]) => (outcome.ok ? [] : [outcome.error])),
    );
  }

  /** Hosts that left the pool lose the component, unless their machine is in the pool under another key. */
  async #dropRemoved(olds: ReleaseState, state: ReleaseState): Promise<void> {
    const live = new Set(Object.keys(state.hosts).map((host) => machineOf(host, state)));
    const gone = Object.keys(olds.hosts).filter((host) => !(host in state.hosts) && !live.has(machineOf(host, olds)));
    if (gone.length === 0) return;
    try {
      await this.#removeFrom(olds, gone);
    } catch (error) {
      const still = { hosts: { ...olds.hosts, ...state.hosts }, actual: { ...olds.actual, ...state.actual } };
      throw partialFailure({ ...state, ...still }, [messageOf(error)]);
    }
  }

  async #removeFrom(state: ReleaseState, hosts: readonly string[]): Promise<void> {
    const outcomes = await inParallel(hosts, state.rollout.parallel, (host) =>
      this.#queued(state, host, async () => {
        try {
          await this.#on(state, state, host).remove(parseActual(state.actual[host]));
        } catch (error) {
          if (!(error instanceof UnreachableError) || state.policy.unreachable !== "gone") throw error;
          this.options.progress.warn(`${error.message}; given up, as \`unreachable: "gone"\` says`);
        }
      }),
    );
    const errors = [...outcomes.values()].flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    if (errors.length > 0) throw plainFailure("not taken off everywhere", errors);
  }

  #on(inputs: ReleaseInputs, { instance }: ReleaseState, host: string): HostComponent {
    const { connect, progress } = this.options;
    return new HostComponent(host, { inputs, instance, connect, progress });
  }

  #queued<T>(inputs: ReleaseInputs, host: string, work: () => Promise<T>): Promise<T> {
    return this.options.queue.run(inputs.hosts[host] ?? host, work);
  }
}

/** What tells machines apart: the machine-id, or the directory that stands for one. */
function machineOf(host: string, { hosts, actual }: ReleaseState): string {
  const line = hosts[host] ?? "";
  return line.startsWith("local ") ? line : (parseActual(actual[host])?.machine ?? line);
}

/** Whether a host has to be visited: another release, a changed connection, drift found, or a host that is new. */
export function needsWork(host: string, wanted: string, olds: ReleaseState, news: ReleaseInputs): boolean {
  return (
    parseActual(olds.actual[host])?.release !== wanted ||
    olds.hosts[host] !== news.hosts[host] ||
    olds.drift?.[host] !== undefined
  );
}
