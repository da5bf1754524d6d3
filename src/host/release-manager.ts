import type { Connect } from "./connect";
import { HostRelease, prepare, wantedRelease, type HostState, type PreparedRelease } from "./host-release";
import { HostQueue } from "./host-queue";
import { refusalOf } from "./kept";
import { failureAfter, partialFailure, plainFailure, stateAfter } from "./release-outcome";
import type { Progress } from "./progress";
import { parseActual, type ReleaseInputs, type ReleaseState } from "./release";
import { inParallel, rollOut } from "./rollout";
import { newInstance, newKey } from "./secrets";
import { UnreachableError } from "./transport";

export interface ManagerOptions {
  readonly connect: Connect;
  readonly progress: Progress;
  /** True once the operator asked to stop: the wave in progress is settled, no other begins. */
  readonly interrupted: () => boolean;
  readonly queue: HostQueue;
}

/** Carries one release resource through its life: the whole rollout over all its hosts is one call. */
export class ReleaseManager {
  constructor(private readonly options: ManagerOptions) {}

  async create(inputs: ReleaseInputs): Promise<ReleaseState> {
    const seed: ReleaseState = { ...inputs, instance: newInstance(), key: newKey(), actual: {}, readings: {} };
    return this.#roll(seed, inputs, Object.keys(inputs.hosts));
  }

  async update(olds: ReleaseState, news: ReleaseInputs): Promise<ReleaseState> {
    const wanted = wantedRelease(news, olds.key).id;
    const hosts = Object.keys(news.hosts).filter((host) => needsWork(host, wanted, olds, news));
    const state = await this.#roll(olds, news, hosts);
    await this.#dropRemoved(olds, state);
    return state;
  }

  /** Takes the component off every host it is on. */
  async delete(state: ReleaseState): Promise<void> {
    await this.#removeFrom(state, Object.keys(state.hosts));
  }

  async #roll(olds: ReleaseState, news: ReleaseInputs, hosts: readonly string[]): Promise<ReleaseState> {
    await this.#requireKept(olds, news, hosts);
    const release = wantedRelease(news, olds.key);
    const { progress, interrupted } = this.options;
    const kept = new Map<string, string>();
    const result = await rollOut<HostState | undefined>(hosts, news.rollout, {
      apply: async (host) => {
        try {
          return await this.#queued(news, host, () =>
            this.#on(news, olds, host).apply(release, parseActual(olds.actual[host])),
          );
        } catch (error) {
          if (!(error instanceof UnreachableError) || error.started || news.policy.unreachable === "fail") throw error;
          kept.set(host, error.message);
          progress.warn(`${error.message}; left as it is, the next update tries again`);
          return undefined;
        }
      },
      rollBack: async (host) => {
        if (!kept.has(host)) await this.#rollBack(olds, news, host, release);
      },
      wave: (number, of, members) => {
        if (hosts.length > 1) progress.status(`wave ${number} of ${of}: ${members.join(", ")}`);
      },
      wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
      interrupted,
    });
    const state = stateAfter(olds, news, result);
    if (result.failed.size === 0 && result.untouched.length === 0) return state;
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

  async #rollBack(olds: ReleaseState, news: ReleaseInputs, host: string, failed: PreparedRelease): Promise<void> {
    const before = parseActual(olds.actual[host]);
    if (before?.release === failed.id) return;
    await this.#queued(news, host, async () => {
      // After a half-failed rollout a host may have been on a release that is not the state's; its own copy serves then.
      const old = before === undefined ? undefined : prepare(olds, olds.key);
      await this.#on(news, olds, host).goBack(before, old?.id === before?.release ? old : undefined, failed.id);
    });
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
      throw partialFailure({ ...state, ...still }, [error instanceof Error ? error.message : String(error)]);
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

  #on(inputs: ReleaseInputs, { instance }: ReleaseState, host: string): HostRelease {
    const { connect, progress } = this.options;
    return new HostRelease(host, { inputs, instance, connect, progress });
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
