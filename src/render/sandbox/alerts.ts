import { stringify } from "yaml";
import { MARKER } from "../marker";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: "critical" | "warning";
  readonly summary: string;
  readonly description: string;
}

/**
 * Alerting rules for Prometheus, YAML, for every host whose collector reads a sandbox's metrics file (node_exporter's
 * textfile collector, by a link to `metrics.prom`).
 *
 * @param watchEvery seconds between two looks at the file systems
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export function sandboxAlertRules(watchEvery: number): string {
  const rules = rulesOf(watchEvery).map(({ severity, summary, description, ...rule }) => ({
    ...rule,
    labels: { severity },
    annotations: { summary: `{{ $labels.instance }}: ${summary}`, description },
  }));
  const text = stringify({ groups: [{ name: "gofleet-sandbox", rules }] }, { lineWidth: 0 });
  return `${MARKER}\n${text}`;
}

function rulesOf(watchEvery: number): readonly Rule[] {
  const silent = Math.max(300, 10 * watchEvery);
  return [
    {
      alert: "GoSandboxStuck",
      expr: "gofleet_sandbox_reclaim_stuck == 1",
      for: "1m",
      severity: "critical",
      summary: "the disk is too full and nothing could be freed",
      description: "No job begins until there is room. What fills the disk is not a cache of the sandbox.",
    },
    {
      alert: "GoSandboxFull",
      expr: "gofleet_sandbox_full == 1",
      for: "10m",
      severity: "warning",
      summary: "a file system stays above the pause mark",
      description: "No job begins until it is below the low mark.",
    },
    {
      alert: "GoSandboxPaused",
      expr: "gofleet_sandbox_paused == 1",
      for: "1h",
      severity: "warning",
      summary: "no job has begun for an hour",
      description: "A watermark or an operator holds the slots: gofleet-sandbox status says which.",
    },
    {
      alert: "GoSandboxUnwatched",
      expr: `time() - gofleet_sandbox_watch_last_run_timestamp_seconds > ${silent}`,
      for: "1m",
      severity: "critical",
      summary: "nobody watches the disk",
      description: "The watermarks were not looked at for {{ $value | humanizeDuration }}.",
    },
  ];
}
