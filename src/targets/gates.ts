import type { Input } from "@pulumi/pulumi";
import { isFields } from "../model/check";
import type {
  ApprovalGateArgs,
  CommandGateArgs,
  GateCredentials,
  HttpGateArgs,
  MainMetricGateArgs,
  PrometheusGateArgs,
  RequestGateArgs,
} from "../model/gate-args";
import {
  checkApprovalGate,
  checkCommandGate,
  checkHttpGate,
  checkPrometheusGate,
  type CheckedGate,
} from "../model/gate-check";
import { checkErrorRatioGate, checkMainMetricGate } from "../model/gate-presets";
import type { Gate } from "../model/gates";
import type { Issue } from "../model/issues";
import { ERROR_RATE, SERVER_ERRORS } from "../model/request-queries";

/** A gate for `hostPool({ rollout: { gates: […] } })`, made by one of the functions here. */
export interface RolloutGate {
  readonly kind: "gate";
  /** The gate as the provider takes it. */
  readonly gate: Gate;
  /** Its token or password; a secret. */
  readonly secret?: Input<string>;
  /** What is wrong with its arguments; the pool reports them with its own. */
  readonly issues: readonly Issue[];
}

/**
 * Asks a URL over a time: of each host of the wave, or one for all.
 *
 * ```ts
 * httpGate({ url: "http://{address}:8080/readyz", for: "2 min", body: /"status":"ok"/, failures: 1 });
 * ```
 */
export function httpGate(args: HttpGateArgs<Input<string>>): RolloutGate {
  return made(checkHttpGate(args), args);
}

/**
 * Watches a value of a Prometheus server (anything with its HTTP API). Use a ratio of sums and a traffic floor, never a
 * bare rate: half a failing request per second is nothing at a thousand, and everything at one.
 */
export function prometheusGate(args: PrometheusGateArgs<Input<string>>): RolloutGate {
  return made(checkPrometheusGate(args), args);
}

/** Stops at more than 0.5 % of 5xx answers for 5 minutes; `after: "canary"` unless told otherwise. */
export function errorRateGate(args: RequestGateArgs<Input<string>>): RolloutGate {
  return made(checkErrorRatioGate(args, "error-rate", { ...ERROR_RATE, after: "canary" }), args);
}

/** Stops at more than 5 % of 5xx answers for 2 minutes; `after: "each"` unless told otherwise. */
export function serverErrorGate(args: RequestGateArgs<Input<string>>): RolloutGate {
  return made(checkErrorRatioGate(args, "server-errors", { ...SERVER_ERRORS, after: "each" }), args);
}

/** Stops when the main metric has lost 30 % against the same time last week; `after: "last"` unless told otherwise. */
export function mainMetricGate(args: MainMetricGateArgs<Input<string>>): RolloutGate {
  return made(checkMainMetricGate(args, "main-metric"), args);
}

/** Runs a command on the machine that runs Pulumi, a contract test for one; 0 lets the release pass. */
export function commandGate(args: CommandGateArgs): RolloutGate {
  return made(checkCommandGate(args), {});
}

/**
 * Waits for a person, once all other gates of the wave have passed. The resource's row says how to approve.
 *
 * ```ts
 * approvalGate({ by: { file: "approvals/{release}" }, deadline: "30 min" });
 * ```
 */
export function approvalGate(args: ApprovalGateArgs<Input<string>>): RolloutGate {
  return made(checkApprovalGate(args), args);
}

function made({ gate, issues }: CheckedGate, args: GateCredentials<Input<string>>): RolloutGate {
  const { bearerToken, basicAuth } = isFields(args) ? (args as GateCredentials<Input<string>>) : {};
  const secret = bearerToken ?? basicAuth?.password;
  return { kind: "gate", gate, issues, ...(secret === undefined ? {} : { secret }) };
}
