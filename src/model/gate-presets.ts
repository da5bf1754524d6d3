/** Gates with the usual questions about a service's requests, as Prometheus gates. */
import { isFields } from "./check";
import { checkFields, line, matching, oneOf, required, type FieldSpecs } from "./field-checks";
import type { MainMetricGateArgs, PrometheusGateArgs, PrometheusServerArgs, RequestGateArgs } from "./gate-args";
import { atLeastNone, between, duration, promql, secondsOf } from "./gate-fields";
import { checkPrometheusGate, type CheckedGate } from "./gate-check";
import type { GateAfter, PrometheusGate } from "./gates";
import { issue } from "./issues";
import { errorRatio, MAIN_METRIC, orNone, requestRate, REQUESTS, serverErrors, type Limit } from "./request-queries";

const REQUEST_FIELDS: FieldSpecs = {
  requests: required('matchers without braces, such as job="order-api"', line('matchers such as job="order-api"')),
  metric: matching(/^[A-Za-z_:][A-Za-z0-9_:]*$/, "the name of a counter"),
  statusLabel: matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of a label"),
  window: duration,
  above: between(0, 1),
  floor: atLeastNone,
  belowFloor: oneOf("pass", "wait", "fail"),
};

/** Fields of a Prometheus gate that a preset sets. */
const DERIVED = ["query", "above", "below", "traffic", "unit", "breach"];

/** The share of 5xx among all answers. */
export function checkErrorRatioGate(
  made: RequestGateArgs<unknown>,
  kind: string,
  limit: Limit & { readonly after: GateAfter },
): CheckedGate<PrometheusGate> {
  const args = (isFields(made) ? made : {}) as RequestGateArgs<unknown>;
  const { metric = REQUESTS.metric, statusLabel, requests: matchers } = args;
  const window = secondsOf(args.window, REQUESTS.window);
  const requests = { metric, matchers, errors: serverErrors(statusLabel), window };
  const { above = limit.above, floor = REQUESTS.floor, belowFloor = "wait" } = args;
  return preset(
    args,
    REQUEST_FIELDS,
    {
      ...rest(args, REQUEST_FIELDS),
      after: args.after ?? limit.after,
      query: errorRatio(requests),
      above,
      for: args.for ?? limit.for,
      breach: "sustained",
      unit: "%",
      traffic: { query: requestRate(requests), floor, below: belowFloor },
    },
    kind,
  );
}

const MAIN: FieldSpecs = {
  query: { required: "the metric as PromQL", check: promql },
  drop: between(0, 1),
  floor: { required: "the value below which the comparison says nothing", check: atLeastNone },
  belowFloor: oneOf("pass", "wait", "fail"),
};

/** A metric that lost much against the same time a week ago. */
export function checkMainMetricGate(made: MainMetricGateArgs<unknown>, kind: string): CheckedGate<PrometheusGate> {
  const args = (isFields(made) ? made : {}) as MainMetricGateArgs<unknown>;
  const { drop = MAIN_METRIC.drop, floor, belowFloor = "pass", against = MAIN_METRIC.against } = args;
  const query = orNone(args.query);
  return preset(
    args,
    MAIN,
    {
      ...rest(args, MAIN),
      after: args.after ?? "last",
      query,
      below: -drop,
      for: args.for ?? MAIN_METRIC.for,
      breach: "sustained",
      against,
      unit: "%",
      traffic: { query, floor, below: belowFloor },
    },
    kind,
  );
}

/** Own fields by the preset's checks, the others by those of a Prometheus gate, each only once. */
function preset(
  given: object,
  specs: FieldSpecs,
  built: PrometheusGateArgs<unknown>,
  kind: string,
): CheckedGate<PrometheusGate> {
  const { gate, issues } = checkPrometheusGate(built, kind);
  const entries = Object.entries(isFields(given) ? given : {});
  const own = Object.fromEntries(entries.filter(([key]) => key in specs));
  const fixed = entries.filter(([key]) => DERIVED.includes(key) && !(key in specs));
  return {
    gate,
    issues: [
      ...checkFields("", own, specs),
      ...fixed.map(([key, value]) => issue(key, value, `no such key; ${kind} sets it itself`)),
      ...issues.filter(({ path }) => !DERIVED.includes(path.split(".")[0] ?? "")),
    ],
  };
}

/** What is a Prometheus gate's, and no field of the preset's own. */
function rest(args: PrometheusServerArgs<unknown>, own: FieldSpecs): PrometheusServerArgs<unknown> {
  return Object.fromEntries(
    Object.entries(args).filter(([key]) => !(key in own)),
  ) as unknown as PrometheusServerArgs<unknown>;
}
