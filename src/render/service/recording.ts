import type { Metrics } from "../../model/service/metrics";
import {
  errorRatio,
  errorRatioByInstance,
  orNone,
  requestRate,
  requestRateByInstance,
  type RequestSelection,
} from "../../model/request-queries";
import { prometheusDuration, type RecordingRule } from "../monitoring/rules";

/** Names under which a Prometheus keeps what was counted, whatever the service's own metrics are called. */
export const RECORDED = {
  /** Hosts whose service answers; every service has it. */
  up: "component:gofleet_service_up:sum",
  requests: "component:gofleet_service_requests:rate",
  errors: "component:gofleet_service_request_errors:ratio_rate",
  requestsByInstance: "component_instance:gofleet_service_requests:rate",
  errorsByInstance: "component_instance:gofleet_service_request_errors:ratio_rate",
  latency: "component:gofleet_service_request_duration_seconds:quantile_rate",
  main: "component:gofleet_service_main:value",
  mainBefore: "component:gofleet_service_main_before:value",
} as const;

/** What the alerts and the dashboard of a service are about. */
export function recordingRules(component: string, { requests, main }: Metrics): RecordingRule[] {
  const matchers = `component="${component}"`;
  return [
    { record: RECORDED.up, expr: `sum(up{${matchers}})` },
    ...(requests === undefined ? [] : requestRules({ ...requests, matchers })),
    ...(requests?.latency === undefined ? [] : [latencyRule(matchers, requests.latency, requests.window)]),
    ...(main === undefined
      ? []
      : [
          { record: RECORDED.main, expr: orNone(main.query) },
          {
            record: RECORDED.mainBefore,
            expr: `${RECORDED.main}{${matchers}} offset ${prometheusDuration(main.against)}`,
          },
        ]),
  ];
}

function requestRules(requests: RequestSelection): RecordingRule[] {
  return [
    { record: RECORDED.requests, expr: requestRate(requests) },
    { record: RECORDED.errors, expr: errorRatio(requests) },
    { record: RECORDED.requestsByInstance, expr: requestRateByInstance(requests) },
    { record: RECORDED.errorsByInstance, expr: errorRatioByInstance(requests) },
  ];
}

function latencyRule(
  matchers: string,
  { metric, quantile }: { readonly metric: string; readonly quantile: number },
  window: number,
): RecordingRule {
  const buckets = `sum by (le) (rate(${metric}_bucket{${matchers}}[${window}s]))`;
  return { record: RECORDED.latency, expr: `histogram_quantile(${quantile}, ${buckets})` };
}
