import type { Input } from "@pulumi/pulumi";
import { isFields, unknownKeys } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { mostUnavailable, sizeOf, type Rollout } from "../model/rollout";
import { parsePercent, type Duration, type Percent } from "../model/units";
import type { RolloutGate } from "./gates";
import { oneOf, seconds } from "./settings";

/** How a pool takes a release. */
export interface RolloutArgs {
  /**
   * Hosts before all others: how many, which share (rounded up, at most `maxUnavailable`), or which keys.
   * @default 1, or 0 in a pool of one
   */
  readonly canary?: number | Percent | readonly string[];
  /**
   * Hosts at a time after the canaries: how many, or which share of those left (rounded up, at most `maxUnavailable`).
   * @default "25 %"
   */
  readonly batch?: number | Percent;
  /**
   * Connections at once.
   * @default 16
   */
  readonly parallel?: number;
  /**
   * After a failure of a host or a gate: `rollback` puts every host of this rollout back, `rollback-batch` only those of
   * the failed batch, `stop` leaves all where they stand. The failed host itself always goes back.
   * @default "rollback"
   */
  readonly onFailure?: "rollback" | "rollback-batch" | "stop";
  /**
   * Time between batches, before the next begins.
   * @default none
   */
  readonly pause?: Duration;
  /**
   * Hosts of the pool that may be down at once, those included that cannot be reached: a number, or a share, rounded
   * down but at least one. With it every host is looked at before the first is touched; going back keeps to it as well.
   * @default all of them
   */
  readonly maxUnavailable?: number | Percent;
  /**
   * What decides after the canaries, after each batch or at the end whether the release is good: `httpGate`,
   * `prometheusGate`, `errorRateGate`, `serverErrorGate`, `mainMetricGate`, `commandGate`, `approvalGate`.
   * @default none
   */
  readonly gates?: readonly RolloutGate[];
}

export interface CheckedRollout {
  readonly rollout: Rollout;
  /** Tokens and passwords by gate. */
  readonly gateSecrets?: Readonly<Record<string, Input<string>>>;
}

const KEYS = ["canary", "batch", "parallel", "onFailure", "pause", "maxUnavailable", "gates"];
const PARALLEL = 16;
const QUARTER = "25 %";

/** A rollout with defaults for the hosts of a pool; what is wrong with it goes to `issues`. */
export function checkRollout(given: unknown, keys: readonly string[], issues: Issue[]): CheckedRollout {
  const args: RolloutArgs = isFields(given) ? given : {};
  if (given !== undefined && !isFields(given)) issues.push(issue("rollout", given, '{ canary: 1, batch: "25 %" }'));
  issues.push(...unknownKeys("rollout", args as Record<string, unknown>, KEYS));
  const parallel = args.parallel ?? PARALLEL;
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 256) {
    issues.push(issue("rollout.parallel", parallel, "a whole number from 1 to 256"));
  }
  const most =
    args.maxUnavailable === undefined ? undefined : share("rollout.maxUnavailable", args.maxUnavailable, 1, issues);
  const limit = most === undefined ? keys.length : mostUnavailable({ maxUnavailable: most }, keys.length);
  const canary = Array.isArray(args.canary)
    ? named(args.canary as readonly string[], keys, issues)
    : atMost(limit, share("rollout.canary", args.canary ?? (keys.length > 1 ? 1 : 0), 0, issues), keys.length);
  const rest = keys.length - canaries(canary, keys);
  const batch = atMost(limit, share("rollout.batch", args.batch ?? QUARTER, 1, issues), rest);
  const gates = checkGates(args.gates, issues);
  const rollout: Rollout = {
    canary,
    batch,
    parallel,
    onFailure: oneOf("rollout.onFailure", args.onFailure, ["rollback", "rollback-batch", "stop"], issues),
    pause: seconds("rollout.pause", args.pause, 0, issues),
    ...(most === undefined ? {} : { maxUnavailable: most }),
    ...(gates.length === 0 ? {} : { gates: gates.map(({ gate }) => gate) }),
  };
  issues.push(...checkRoom(rollout, keys));
  const secrets = gates.flatMap((each) => (each.secret === undefined ? [] : [[each.gate.name, each.secret] as const]));
  return { rollout, ...(secrets.length === 0 ? {} : { gateSecrets: Object.fromEntries(secrets) }) };
}

function checkGates(given: unknown, issues: Issue[]): RolloutGate[] {
  if (given === undefined) return [];
  const wanted = "a list of gates: [httpGate({ … }), approvalGate({ … })]";
  if (!Array.isArray(given)) {
    issues.push(issue("rollout.gates", given, wanted));
    return [];
  }
  const names = new Set<string>();
  return given.flatMap((each: unknown, index) => {
    const path = `rollout.gates[${index}]`;
    if (!isFields(each) || each["kind"] !== "gate") {
      issues.push(issue(path, each, "a gate: httpGate({ … }), prometheusGate({ … }), commandGate({ … }) or another"));
      return [];
    }
    const gate = each as unknown as RolloutGate;
    issues.push(...gate.issues.map((one) => ({ ...one, path: one.path === "" ? path : `${path}.${one.path}` })));
    const { name } = gate.gate;
    if (names.has(name)) issues.push(issue(`${path}.name`, name, "a name of its own; another gate has this one"));
    names.add(name);
    return [gate];
  });
}

/** Waves of a number of hosts that is larger than may be down: one of the two is wrong. */
function checkRoom(rollout: Rollout, keys: readonly string[]): Issue[] {
  if (rollout.maxUnavailable === undefined) return [];
  const most = mostUnavailable(rollout, keys.length);
  const first = canaries(rollout.canary, keys);
  const waves = [
    ["rollout.canary", rollout.canary, first],
    ["rollout.batch", rollout.batch, Math.min(keys.length - first, sizeOf(rollout.batch, keys.length - first))],
  ] as const;
  return waves.flatMap(([path, given, size]) =>
    size <= most
      ? []
      : [
          issue(
            path,
            given,
            `at most ${most} of the ${keys.length} hosts, as rollout.maxUnavailable says; this is ${size}`,
          ),
        ],
  );
}

/** A share is about so many hosts: one that is more than may be down is as many as may. A number is meant as it is. */
function atMost(most: number, given: number | string, hosts: number): number | string {
  return typeof given === "string" && sizeOf(given, hosts) > most ? most : given;
}

function canaries(canary: Rollout["canary"], keys: readonly string[]): number {
  return typeof canary === "object" ? canary.length : Math.min(keys.length, sizeOf(canary, keys.length));
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
