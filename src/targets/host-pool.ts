import { ONLY_HOST } from "../host/connection";
import { at, isFields, unknownKeys } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { checkRollout, type RolloutArgs } from "./rollout-args";
import { SETTING_KEYS, targetPolicy } from "./settings";
import type { HostTarget, TargetHost, TargetSettings } from "./target";

/** Arguments of {@link hostPool}. */
export interface HostPoolArgs extends TargetSettings {
  /**
   * Targets by key. The key is a host's identity, together with its machine-id: another address is an update, another
   * key is a host removed and a host added.
   */
  readonly hosts: Readonly<Record<string, HostTarget>>;
  /**
   * How a release goes through the pool.
   * @default one canary, then a quarter of the rest at a time
   */
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
    ...checkRollout(given.rollout, Object.keys(hosts), issues),
    policy: targetPolicy(given, issues),
    issues,
  };
}
