import type { MainMetric, Metrics, MetricLimit, ServiceRequests } from "../../model/service/metrics";
import { formatDuration } from "../../model/units";
import { prometheusDuration, prometheusYaml, rulesFile, scrapeTarget, type AlertRule } from "../monitoring/rules";
import { RECORDED, recordingRules } from "./recording";

/** What the rules must know of a service. */
export interface ServiceAlertOptions {
  /** The component's directory name: the value of the label `component` that {@link serviceScrapeConfig} sets. */
  readonly component: string;
  readonly metrics: Metrics;
  /** Bytes beyond which the kernel ends the service; undefined: no limit. */
  readonly memoryLimit: number | undefined;
}

/** Recording and alerting rules for Prometheus, YAML. */
export function serviceRules(options: ServiceAlertOptions): string {
  const { component, metrics } = options;
  const { labels, runbook } = metrics;
  return rulesFile(component, alertsOf(options), {
    recording: recordingRules(component, metrics),
    labels,
    ...(runbook === undefined ? {} : { runbook }),
  });
}

/**
 * One job for all hosts.
 *
 * @param hosts names or addresses by which Prometheus reaches them, for metrics that every address of a host serves
 */
export function serviceScrapeConfig(component: string, metrics: Metrics, hosts: readonly string[]): string {
  const { endpoint, path, scheme, interval } = metrics;
  const every = endpoint.address === "::" || endpoint.address === "0.0.0.0";
  const targets = (every ? hosts : [endpoint.address]).map((host) => scrapeTarget(host, endpoint.port));
  const job = {
    job_name: `gofleet-${component}`,
    scheme,
    metrics_path: path,
    scrape_interval: prometheusDuration(interval),
    static_configs: [{ targets, labels: { component } }],
  };
  return prometheusYaml({ scrape_configs: [job] });
}

function alertsOf({ component, metrics, memoryLimit }: ServiceAlertOptions): AlertRule[] {
  const of: Selected = (metric) => `${metric}{component="${component}"}`;
  const { requests, main } = metrics;
  return [
    ...upRules(of),
    ...(requests === undefined ? [] : requestRules(of, requests)),
    ...(main === undefined ? [] : [mainRule(of, main)]),
    ...processRules(of, memoryLimit),
    ...goRules(of, metrics),
  ];
}

/** A metric of this component. */
type Selected = (metric: string) => string;

function upRules(of: Selected): AlertRule[] {
  return [
    {
      alert: "GoServiceDown",
      expr: `${of("up")} == 0`,
      for: "5m",
      severity: "critical",
      summary: "{{ $labels.instance }} does not answer",
      description: "Its metrics cannot be read. The unit's state and journal on the host say more.",
    },
    {
      alert: "GoServiceUnwatched",
      expr: `absent(${of("up")})`,
      for: "15m",
      severity: "critical",
      summary: "nobody reads its metrics",
      description: "Prometheus has no such job, so that no other alert of the service can come.",
    },
  ];
}

function requestRules(of: Selected, { floor, errorRate, serverErrors, latency }: ServiceRequests): AlertRule[] {
  const enough = `${of(RECORDED.requests)} >= ${floor}`;
  const failing = (name: string, severity: AlertRule["severity"], limit: MetricLimit): AlertRule => ({
    alert: name,
    expr: `${of(RECORDED.errors)} > ${limit.above} and ${enough}`,
    for: prometheusDuration(limit.for),
    severity,
    summary: "{{ $value | humanizePercentage }} of the requests fail",
    description: `More than ${percent(limit.above)}. ${RECORDED.errorsByInstance} says on which hosts.`,
  });
  return [
    failing("GoServiceErrorRate", "warning", errorRate),
    failing("GoServiceServerErrors", "critical", serverErrors),
    ...(latency === undefined
      ? []
      : [
          {
            alert: "GoServiceSlow",
            expr: `${of(RECORDED.latency)} > ${latency.above} and ${enough}`,
            for: prometheusDuration(latency.for),
            severity: "warning" as const,
            summary: "requests take {{ $value | humanizeDuration }}",
            description: `Quantile ${latency.quantile}; they may take ${formatDuration(latency.above)}.`,
          },
        ]),
  ];
}

/** Its floor is that of the time compared with: an outage, which has no traffic, must not hide itself. */
function mainRule(of: Selected, { drop, against, for: long, floor }: MainMetric): AlertRule {
  const before = of(RECORDED.mainBefore);
  return {
    alert: "GoServiceMainMetric",
    expr: `${of(RECORDED.main)} / ${before} - 1 < ${-drop} and ${before} >= ${floor}`,
    for: prometheusDuration(long),
    severity: "critical",
    summary: `its main metric changed by {{ $value | humanizePercentage }} against ${formatDuration(against)} before`,
    description: `A loss of more than ${percent(drop)}, whatever the error rate says.`,
  };
}

function processRules(of: Selected, memoryLimit: number | undefined): AlertRule[] {
  const memory: AlertRule = {
    alert: "GoServiceMemory",
    expr: `${of("process_resident_memory_bytes")} > ${Math.floor(0.95 * (memoryLimit ?? 0))}`,
    for: "10m",
    severity: "warning",
    summary: "{{ $labels.instance }} holds {{ $value | humanize1024 }}B of memory",
    description:
      "More than 95 % of its limit, at which the kernel ends it. Go collects at nine tenths and got no lower.",
  };
  return [
    {
      alert: "GoServiceRestarts",
      expr: `changes(${of("process_start_time_seconds")}[30m]) > 2`,
      for: "0m",
      severity: "warning",
      summary: "{{ $labels.instance }} started {{ $value }} times within half an hour",
      description: "It crashes, is ended by its watchdog, or for its memory: the journal of its unit says which.",
    },
    {
      alert: "GoServiceFiles",
      expr: `${of("process_open_fds")} / ${of("process_max_fds")} > 0.9`,
      for: "10m",
      severity: "warning",
      summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its files open",
      description: "Connections count. At the limit it can neither accept one nor open a file.",
    },
    ...(memoryLimit === undefined ? [] : [memory]),
  ];
}

function goRules(of: Selected, { goroutines, schedulerLatency }: Metrics): AlertRule[] {
  const waits = `rate(${of("go_sched_latencies_seconds_bucket")}[5m])`;
  const many: AlertRule = {
    alert: "GoServiceGoroutines",
    expr: `${of("go_goroutines")} > ${goroutines}`,
    for: "10m",
    severity: "warning",
    summary: "{{ $labels.instance }} has {{ $value }} goroutines",
    description: "They wait for something that does not come, or leak: a goroutine profile says where they are.",
  };
  const slow: AlertRule = {
    alert: "GoServiceScheduling",
    expr: `histogram_quantile(0.99, sum by (instance, le) (${waits})) > ${schedulerLatency}`,
    for: "10m",
    severity: "warning",
    summary: "goroutines on {{ $labels.instance }} wait {{ $value | humanizeDuration }} for a processor",
    description: "Too few processors for what it does, or a quota that stops them: see CPUQuota and GOMAXPROCS.",
  };
  return [...(goroutines === undefined ? [] : [many]), ...(schedulerLatency === undefined ? [] : [slow])];
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
