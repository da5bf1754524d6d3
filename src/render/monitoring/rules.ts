import { stringify } from "yaml";
import { formatDuration } from "../../model/units";
import { MARKER } from "../marker";

/** One alerting rule. */
export interface AlertRule {
  readonly alert: string;
  /** PromQL; it asks for one component alone. */
  readonly expr: string;
  /** How long it must hold. */
  readonly for: string;
  readonly severity: "critical" | "warning";
  /** A line, after the component's name. */
  readonly summary: string;
  readonly description: string;
}

/** A value that Prometheus keeps under a name of its own. */
export interface RecordingRule {
  /** `level:metric:operations`. See https://prometheus.io/docs/practices/rules/. */
  readonly record: string;
  /** PromQL; it asks for one component alone. */
  readonly expr: string;
}

/** What a rules file has beside its alerts. */
export interface RulesOptions {
  /** Evaluated before the alerts, in their order. */
  readonly recording?: readonly RecordingRule[];
  /** More labels of each alert. */
  readonly labels?: Readonly<Record<string, string>>;
  /** URL that says what to do. */
  readonly runbook?: string;
}

/**
 * A component's rules for Prometheus, YAML.
 *
 * @param component the component's directory name: the value of the label `component` of its metrics
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export function rulesFile(component: string, alerts: readonly AlertRule[], options: RulesOptions = {}): string {
  const { recording = [], labels = {}, runbook } = options;
  const recorded = recording.map((rule) => ({ ...rule, labels: { component } }));
  const labelled = alerts.map(({ severity, summary, description, ...rule }) => ({
    ...rule,
    labels: { severity, component, ...labels },
    annotations: {
      summary: `${component}: ${summary}`,
      description,
      ...(runbook === undefined ? {} : { runbook_url: runbook }),
    },
  }));
  return prometheusYaml({ groups: [{ name: `gofleet-${component}`, rules: [...recorded, ...labelled] }] });
}

/** A file of Prometheus' own. */
export function prometheusYaml(value: object): string {
  return `${MARKER}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** A time as Prometheus spells it: 300 → `5m`. */
export function prometheusDuration(seconds: number): string {
  return formatDuration(seconds).replace(" ", "").replace("min", "m");
}

/** An address of a scrape job: `10.20.0.11:9100`, `[2001:db8::1]:9100`. */
export function scrapeTarget(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
