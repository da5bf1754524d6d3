/** How a pool takes a release: a few canaries, then batches; what a failure means. */
export interface Rollout {
  /** Hosts before all others: a number, a share (`"10 %"`), or their keys. */
  readonly canary: number | string | readonly string[];
  /** Hosts at a time after the canaries: a number or a share. */
  readonly batch: number | string;
  /** Connections at once. */
  readonly parallel: number;
  /** After a failure: every host back to the old release, only the failed batch, or stop where it stands. */
  readonly onFailure: "rollback" | "rollback-batch" | "stop";
  /** Seconds between batches. */
  readonly pause: number;
}

export const AT_ONCE: Rollout = { canary: 0, batch: "100 %", parallel: 16, onFailure: "rollback", pause: 0 };

/** What became of one host in a wave. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

/** A rollout as it was carried out. */
export interface RolloutResult<T> {
  /** Hosts that took the release and have it still. */
  readonly done: ReadonlyMap<string, T>;
  /** Hosts that failed it, with the reason. */
  readonly failed: ReadonlyMap<string, Error>;
  /** Hosts that took it and were put back after a failure elsewhere; an error where that failed too. */
  readonly rolledBack: ReadonlyMap<string, Error | undefined>;
  /** Hosts no wave reached. */
  readonly untouched: readonly string[];
}

export interface RolloutSteps<T> {
  /** Puts the release on one host; throws if the host did not take it. */
  apply(host: string): Promise<T>;
  /** Puts one host back. */
  rollBack(host: string): Promise<void>;
  /** Told before each wave. */
  wave?(number: number, of: number, hosts: readonly string[]): void;
  /** True stops before the next wave, like a failure with `stop`. */
  interrupted?(): boolean;
  wait?(seconds: number): Promise<void>;
}

/** The hosts in waves: canaries, then batches, in the order of their keys. */
export function waves(hosts: readonly string[], { canary, batch }: Pick<Rollout, "canary" | "batch">): string[][] {
  const sorted = [...hosts].sort();
  const first =
    typeof canary === "object" ? sorted.filter((key) => canary.includes(key)) : sorted.slice(0, count(canary, sorted));
  const rest = sorted.filter((key) => !first.includes(key));
  const size = Math.max(1, count(batch, rest));
  const batches = Array.from({ length: Math.ceil(rest.length / size) }, (_, i) => rest.slice(i * size, (i + 1) * size));
  return first.length === 0 ? batches : [first, ...batches];
}

/** `"25 %"` of the hosts, rounded up; a number as it is. */
function count(share: number | string, hosts: readonly string[]): number {
  if (typeof share === "number") return share;
  return Math.ceil((Number.parseFloat(share) / 100) * hosts.length);
}

/** Runs the rollout and settles it: when this returns, every host is decided. */
export async function rollOut<T>(
  hosts: readonly string[],
  rollout: Rollout,
  steps: RolloutSteps<T>,
): Promise<RolloutResult<T>> {
  const plan = waves(hosts, rollout);
  const done = new Map<string, T>();
  const failed = new Map<string, Error>();
  const rolledBack = new Map<string, Error | undefined>();
  let reached = 0;
  for (const wave of plan) {
    if (steps.interrupted?.() === true) break;
    if (reached > 0 && rollout.pause > 0) await steps.wait?.(rollout.pause);
    reached += 1;
    steps.wave?.(reached, plan.length, wave);
    const outcomes = await inParallel(wave, rollout.parallel, steps.apply);
    for (const [host, outcome] of outcomes) {
      if (outcome.ok) done.set(host, outcome.value);
      else failed.set(host, outcome.error);
    }
    if (failed.size === 0) continue;
    const back = { stop: [], "rollback-batch": wave, rollback: [...done.keys()] }[rollout.onFailure];
    const returned = await inParallel(
      back.filter((host) => done.has(host)),
      rollout.parallel,
      steps.rollBack,
    );
    for (const [host, outcome] of returned) {
      done.delete(host);
      rolledBack.set(host, outcome.ok ? undefined : outcome.error);
    }
    break;
  }
  return { done, failed, rolledBack, untouched: plan.slice(reached).flat() };
}

/** Runs `work` for every item, at most `limit` at a time, and never throws. */
export async function inParallel<T>(
  items: readonly string[],
  limit: number,
  work: (item: string) => Promise<T>,
): Promise<Map<string, Outcome<T>>> {
  const outcomes = new Map<string, Outcome<T>>();
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        outcomes.set(item, { ok: true, value: await work(item) });
      } catch (error) {
        outcomes.set(item, { ok: false, error: error instanceof Error ? error : new Error(String(error)) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return outcomes;
}
