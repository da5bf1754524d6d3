import type { Connect } from "./connect";
import { HostRelease, prepare, type HostState, type PreparedRelease } from "./host-release";
import { HostQueue } from "./host-queue";
import { partialFailure, plainFailure } from "./release-failure";
import type { Progress } from "./progress";
import { formatActual, parseActual, type Actual, type ReleaseInputs, type ReleaseState } from "./release";
import { inParallel, rollOut, type RolloutResult } from "./rollout";
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
    const wanted = prepare(news, olds.key).id;
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
    const release = prepare(news, olds.key);
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
    throw failure(olds, news, release, result);
  }

  async #rollBack(olds: ReleaseState, news: ReleaseInputs, host: string, failed: PreparedRelease): Promise<void> {
    const before = parseActual(olds.actual[host]);
    if (before?.release === failed.id) return;
    await this.#queued(news, host, async () => {
      const target = this.#on(news, olds, host);
      if (before === undefined) {
        await target.remove(undefined);
        return;
      }
      // After a half-failed rollout a host may have been on a release that is not the state's; its own copy serves then.
      const old = prepare(olds, olds.key);
      await target.goBack(before, old.id === before.release ? old : undefined, failed.id);
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
      const left = Object.fromEntries(gone.flatMap((host) => entry(olds.hosts, host)));
      throw partialFailure(
        { ...state, hosts: { ...state.hosts, ...left }, actual: { ...state.actual, ...pick(olds.actual, gone) } },
        [error instanceof Error ? error.message : String(error)],
      );
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

function stateAfter(
  olds: ReleaseState,
  news: ReleaseInputs,
  { done }: RolloutResult<HostState | undefined>,
): ReleaseState {
  const actual: Record<string, string> = pick(olds.actual, Object.keys(news.hosts));
  let { readings } = olds;
  for (const [host, state] of [...done].sort(([a], [b]) => (a < b ? 1 : -1))) {
    if (state === undefined) continue;
    actual[host] = formatActual(state.actual);
    readings = state.readings;
  }
  const { drift: _, ...inputs } = news;
  return { ...inputs, instance: olds.instance, key: olds.key, actual: sorted(actual), readings: sorted(readings) };
}

/**
 * Every host back on what it had: a plain error, the state stays old. Some elsewhere: an error that carries what each
 * host has now, so that the next preview shows the same change again.
 */
function failure(
  olds: ReleaseState,
  news: ReleaseInputs,
  release: PreparedRelease,
  result: RolloutResult<HostState | undefined>,
): Error {
  const reasons = [...result.failed.values()].map(({ message }) => message);
  for (const [host, error] of result.rolledBack) {
    reasons.push(error === undefined ? `${host}: put back` : `${host}: not put back: ${error.message}`);
  }
  if (result.untouched.length > 0) reasons.push(`not reached: ${result.untouched.join(", ")}`);
  const actual: Record<string, string> = { ...olds.actual };
  let moved = false;
  const now = (host: string, state: Actual | undefined): void => {
    moved = true;
    if (state === undefined) delete actual[host];
    else actual[host] = formatActual(state);
  };
  for (const [host, state] of result.done) if (state !== undefined) now(host, state.actual);
  for (const [host, error] of result.rolledBack) {
    const before = parseActual(olds.actual[host]);
    if (error !== undefined)
      now(host, { release: release.id, machine: before?.machine ?? "", facts: before?.facts ?? "" });
  }
  for (const [host, error] of result.failed) {
    const left = whereLeft(error);
    const before = parseActual(olds.actual[host]);
    if (left !== undefined && left !== (before?.release ?? "")) {
      now(host, { release: left, machine: before?.machine ?? "", facts: before?.facts ?? "" });
    }
  }
  const headline = `${result.failed.size === 0 ? "stopped" : "failed"} on ${[...result.failed.keys()].join(", ") || "request"}`;
  if (!moved)
    return plainFailure(
      headline,
      reasons.map((reason) => new Error(reason)),
    );
  const known = Object.keys(actual);
  return partialFailure(
    {
      ...olds,
      hosts: sorted({ ...olds.hosts, ...pick(news.hosts, known) }),
      ...(news.passwords === undefined && olds.passwords === undefined
        ? {}
        : { passwords: sorted({ ...olds.passwords, ...pick(news.passwords ?? {}, known) }) }),
      actual: sorted(actual),
    },
    reasons,
  );
}

/** The release a failed host is on, where its last word says so; `unknown` where the connection was lost for good. */
function whereLeft(error: Error): string | undefined {
  if (error instanceof UnreachableError) return error.started ? "unknown" : undefined;
  const result = (error as { result?: { current: string; rc: number } }).result;
  return result?.rc === 22 ? result.current || "unknown" : undefined;
}

function pick(map: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => entry(map, key)));
}

function entry(map: Readonly<Record<string, string>>, key: string): [string, string][] {
  const value = map[key];
  return value === undefined ? [] : [[key, value]];
}

function sorted<V>(map: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
