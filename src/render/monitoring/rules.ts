import { stringify } from "yaml";
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

/**
 * A component's alerting rules for Prometheus, YAML.
 *
 * @param component the component's directory name: the value of the label `component` of its metrics
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export function rulesFile(component: string, rules: readonly AlertRule[]): string {
  const labelled = rules.map(({ severity, summary, description, ...rule }) => ({
    ...rule,
    labels: { severity, component },
    annotations: { summary: `${component}: ${summary}`, description },
  }));
  return prometheusYaml({ groups: [{ name: `gofleet-${component}`, rules: labelled }] });
}

/** A file of Prometheus' own. */
export function prometheusYaml(value: object): string {
  return `${MARKER}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
