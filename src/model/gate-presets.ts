/** Gates with the usual questions about a service's requests, as Prometheus gates. */
import { isFields } from "./check";
import { checkFields, line, matching, oneOf, required, type FieldSpecs } from "./field-checks";
import type { MainMetricGateArgs, PrometheusGateArgs, PrometheusServerArgs, RequestGateArgs } from "./gate-args";
import { atLeastNone, between, duration, promql, secondsOf } from "./gate-fields";
import { checkPrometheusGate, type CheckedGate } from "./gate-check";
import type { GateAfter, PrometheusGate } from "./gates";
import { issue } from "./issues";
import type { Duration } from "./units";

const REQUESTS: FieldSpecs = {
  requests: required('matchers without braces, such as job="order-api"', line('matchers such as job="order-api"')),
  metric: matching(/^[A-Za-z_:][A-Za-z0-9_:]*$/, "the name of a counter"),
  statusLabel: matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of a label"),
  window: duration,
  above: between(0, 1),
  floor: atLeastNone,
  belowFloor: oneOf("pass", "wait", "fail"),
};

/** Fields a preset has of its own; all others are a Prometheus gate's. */
const OWN = ["requests", "metric", "statusLabel", "window", "floor", "belowFloor", "drop"];

/** Fields of a Prometheus gate that a preset sets. */
const DERIVED = ["query", "above", "below", "traffic", "unit", "breach"];

/** The share of 5xx among all answers: a ratio of sums, so that a host with little traffic counts little. */
export function checkErrorRatioGate(
  made: RequestGateArgs<unknown>,
  kind: string,
  defaults: { readonly above: number; readonly for: Duration; readonly after: GateAfter },
): CheckedGate<PrometheusGate> {
  const args = (isFields(made) ? made : {}) as RequestGateArgs<unknown>;
  const { metric = "http_requests_total", statusLabel = "code", requests } = args;
  const range = `[${secondsOf(args.window, 120)}s]`;
  const all = `sum(rate(${metric}{${requests}}${range}))`;
  // Without any 5xx there is no such series, and nothing divided by something would be nothing.
  const bad = `(sum(rate(${metric}{${requests},${statusLabel}=~"5.."}${range})) or vector(0))`;
  const { above = defaults.above, floor = 1, belowFloor = "wait" } = args;
  return preset(
    args,
    REQUESTS,
    {
      ...rest(args),
      after: args.after ?? defaults.after,
      query: `${bad} / ${all}`,
      above,
      for: args.for ?? defaults.for,
      breach: "sustained",
      unit: "%",
      traffic: { query: `${all} or vector(0)`, floor, below: belowFloor },
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
  const { query, drop = 0.3, floor, belowFloor = "pass", against = "7 d" } = args;
  return preset(
    args,
    MAIN,
    {
      ...rest(args),
      after: args.after ?? "last",
      // A metric that has vanished has lost everything.
      query: `${query} or vector(0)`,
      below: -drop,
      for: args.for ?? "5 min",
      breach: "sustained",
      against,
      unit: "%",
      traffic: { query: `${query} or vector(0)`, floor, below: belowFloor },
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

function rest(args: PrometheusServerArgs<unknown>): PrometheusServerArgs<unknown> {
  return Object.fromEntries(
    Object.entries(args).filter(([key]) => !OWN.includes(key)),
  ) as unknown as PrometheusServerArgs<unknown>;
}
