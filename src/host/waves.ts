import type { Rollout } from "./rollout";

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

/** Hosts of a pool that may be down at once; a share is rounded down. */
export function mostUnavailable({ maxUnavailable }: Pick<Rollout, "maxUnavailable">, pool: number): number {
  return maxUnavailable === undefined ? pool : sizeOf(maxUnavailable, pool, Math.floor);
}
