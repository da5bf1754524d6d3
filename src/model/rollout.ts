import type { Gate } from "./gates";

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
  /**
   * Hosts of the pool that may be down at once, those that cannot be reached included: a number, or a share, rounded down
   * but at least one.
   */
  readonly maxUnavailable?: number | string;
  /** What decides after a wave whether the next may begin. */
  readonly gates?: readonly Gate[];
}

export const AT_ONCE: Rollout = { canary: 0, batch: "100 %", parallel: 16, onFailure: "rollback", pause: 0 };

/** The hosts in waves: canaries, then batches, in the order of their keys. */
export function waves(hosts: readonly string[], { canary, batch }: Pick<Rollout, "canary" | "batch">): string[][] {
  const sorted = [...hosts].sort();
  const first =
    typeof canary === "object"
      ? sorted.filter((key) => canary.includes(key))
      : sorted.slice(0, sizeOf(canary, sorted.length));
  const rest = sorted.filter((key) => !first.includes(key));
  const size = Math.max(1, sizeOf(batch, rest.length));
  const batches = Array.from({ length: Math.ceil(rest.length / size) }, (_, i) => rest.slice(i * size, (i + 1) * size));
  return first.length === 0 ? batches : [first, ...batches];
}

/** `"25 %"` of so many hosts, rounded up unless told otherwise; a number as it is. */
export function sizeOf(share: number | string, hosts: number, round: (size: number) => number = Math.ceil): number {
  return typeof share === "number" ? share : round((Number.parseFloat(share) / 100) * hosts);
}

/** Hosts of a pool that may be down at once. */
export function mostUnavailable({ maxUnavailable }: Pick<Rollout, "maxUnavailable">, pool: number): number {
  // A share of a small pool is less than a host; with none, no release could ever be put on.
  return maxUnavailable === undefined ? pool : Math.max(1, sizeOf(maxUnavailable, pool, Math.floor));
}
