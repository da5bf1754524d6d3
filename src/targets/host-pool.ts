import { ONLY_HOST } from "../host/connection";
import type { Rollout } from "../host/rollout";
import { at, isFields, unknownKeys } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { parsePercent, type Duration, type Percent } from "../model/units";
import { oneOf, seconds, SETTING_KEYS, targetPolicy } from "./settings";
import type { HostTarget, TargetHost, TargetSettings } from "./target";

/** How a pool takes a release. */
export interface RolloutArgs {
  /**
   * Hosts before all others: how many, which share, or which keys.
   * @default 1, or 0 in a pool of one
   */
  readonly canary?: number | Percent | readonly string[];
  /**
   * Hosts at a time after the canaries.
   * @default "25 %"
   */
  readonly batch?: number | Percent;
  /**
   * Connections at once.
   * @default 16
   */
  readonly parallel?: number;
  /**
   * After a failure: `rollback` puts every host of this rollout back, `rollback-batch` only those of the failed batch,
   * `stop` leaves all where they stand. The failed host itself always goes back.
   * @default "rollback"
   */
  readonly onFailure?: "rollback" | "rollback-batch" | "stop";
  /**
   * Time between batches.
   * @default none
   */
  readonly pause?: Duration;
}

export interface HostPoolArgs extends TargetSettings {
  /**
   * Targets by key. The key is a host's identity, together with its machine-id: another address is an update, another
   * key is a host removed and a host added.
   */
  readonly hosts: Readonly<Record<string, HostTarget>>;
  readonly rollout?: RolloutArgs;
}

/**
 * Many hosts as one target: one release, one resource, one rollout.
 *
 * ```ts
 * const builders = hostPool({
 *   hosts: { "rack-01": ssh({ host: "10.20.0.11" }), "rack-02": ssh({ host: "10.20.0.12" }) },
 *   rollout: { canary: 1, batch: "25 %" },
 * });
 * ```
 */
export function hostPool(args: HostPoolArgs): HostTarget {
  const given: Partial<HostPoolArgs> = isFields(args) ? args : {};
  const issues: Issue[] = [...unknownKeys("", given as Record<string, unknown>, ["hosts", "rollout", ...SETTING_KEYS])];
  const hosts: Record<string, TargetHost> = {};
  const wanted = 'hosts by key: { "rack-01": ssh({ … }) }';
  if (!isFields(given.hosts) || Object.keys(given.hosts).length === 0) issues.push(issue("hosts", given.hosts, wanted));
  for (const [key, host] of Object.entries(isFields(given.hosts) ? given.hosts : {}).sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    const path = at("hosts", key);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(key)) {
      issues.push(issue(path, key, "a key of letters, digits, '.', '_' and '-', at most 63 long"));
    }
    const only = isFields(host) ? (host as HostTarget).hosts?.[ONLY_HOST] : undefined;
    if (only === undefined) {
      issues.push(issue(path, isFields(host) ? "another target" : host, "one host: ssh({ … }) or local({ … })"));
      continue;
    }
    issues.push(...(host as HostTarget).issues.map((each) => ({ ...each, path: `${path}.${each.path}` })));
    hosts[key] = only;
  }
  return {
    kind: "hosts",
    hosts,
    rollout: checkRollout(given.rollout, Object.keys(hosts), issues),
    policy: targetPolicy(given, issues),
    issues,
  };
}

const PARALLEL = 16;

function checkRollout(given: RolloutArgs | undefined, keys: readonly string[], issues: Issue[]): Rollout {
  const args: RolloutArgs = isFields(given) ? given : {};
  if (given !== undefined && !isFields(given)) issues.push(issue("rollout", given, '{ canary: 1, batch: "25 %" }'));
  issues.push(
    ...unknownKeys("rollout", args as Record<string, unknown>, ["canary", "batch", "parallel", "onFailure", "pause"]),
  );
  const parallel = args.parallel ?? PARALLEL;
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 256) {
    issues.push(issue("rollout.parallel", parallel, "a whole number from 1 to 256"));
  }
  return {
    canary: Array.isArray(args.canary)
      ? named(args.canary as readonly string[], keys, issues)
      : share("rollout.canary", args.canary ?? (keys.length > 1 ? 1 : 0), 0, issues),
    batch: share("rollout.batch", args.batch ?? "25 %", 1, issues),
    parallel,
    onFailure: oneOf("rollout.onFailure", args.onFailure, ["rollback", "rollback-batch", "stop"], issues),
    pause: seconds("rollout.pause", args.pause, 0, issues),
  };
}

function named(canaries: readonly string[], keys: readonly string[], issues: Issue[]): string[] {
  canaries.forEach((key, index) => {
    if (!keys.includes(key)) issues.push(issue(`rollout.canary[${index}]`, key, `a key of hosts: ${keys.join(", ")}`));
  });
  return [...canaries].sort();
}

function share(path: string, given: unknown, least: number, issues: Issue[]): number | string {
  if (typeof given === "number" && Number.isInteger(given) && given >= least) return given;
  if (typeof given === "string") {
    const parsed = parsePercent(path, given);
    if (parsed.issue === undefined && parsed.value >= least) return `${parsed.value} %`;
  }
  issues.push(issue(path, given, `a whole number of hosts, at least ${least}, or a share such as "25 %"`));
  return least;
}
