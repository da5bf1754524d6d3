import { prometheusYaml, rulesFile, scrapeTarget, type AlertRule } from "../monitoring/rules";

/** What the rules must know of a sandbox. */
export interface SandboxAlertOptions {
  /** The component's directory name: the value of the label `component` of its metrics. */
  readonly component: string;
  /** Seconds between two looks at the file systems. */
  readonly watchEvery: number;
  /** Seconds between two copies of caches in memory; 0: there are none. */
  readonly persistEvery: number;
  /** Whether AppArmor denies what a profile does not allow. */
  readonly enforced: boolean;
}

/** Alerting rules for Prometheus, YAML, for the metrics that {@link sandboxScrapeConfig} collects. */
export function sandboxAlertRules(options: SandboxAlertOptions): string {
  return rulesFile(options.component, [
    ...watchRules(options),
    ...nameRules(options),
    ...cacheRules(options),
    ...(options.enforced ? [denialRule(options)] : []),
  ]);
}

/** Seconds without upkeep, which comes each hour, that are too many. */
const UNKEPT = 3 * 3600;

/** Port of node_exporter. */
const NODE_EXPORTER = 9100;

/**
 * A job that asks node_exporter on each host for its text files alone, and keeps what is this sandbox's. Where another
 * job collects those files already, it is one too many.
 *
 * @param hosts names or addresses by which Prometheus reaches the hosts
 * @see https://github.com/prometheus/node_exporter#textfile-collector
 */
export function sandboxScrapeConfig(component: string, hosts: readonly string[]): string {
  const job = {
    job_name: `gofleet-${component}`,
    metrics_path: "/metrics",
    params: { "collect[]": ["textfile"] },
    static_configs: [{ targets: hosts.map((host) => scrapeTarget(host, NODE_EXPORTER)) }],
    metric_relabel_configs: [
      {
        source_labels: ["__name__", "component"],
        separator: ";",
        regex: `gofleet_(sandbox|build_cache)_.+;${component.replaceAll(".", "\\.")}`,
        action: "keep",
      },
    ],
  };
  return prometheusYaml({ scrape_configs: [job] });
}

function watchRules({ component, watchEvery }: SandboxAlertOptions): readonly AlertRule[] {
  const of = (metric: string) => `gofleet_sandbox_${metric}{component="${component}"}`;
  const silent = Math.max(300, 10 * watchEvery);
  return [
    {
      alert: "GoSandboxStuck",
      expr: `${of("reclaim_stuck")} == 1`,
      for: "1m",
      severity: "critical",
      summary: "a disk of {{ $labels.instance }} is too full and nothing could be freed",
      description: "No job begins until there is room. What fills the disk is not a cache of the sandbox.",
    },
    {
      alert: "GoSandboxFull",
      expr: `${of("full")} == 1`,
      for: "10m",
      severity: "warning",
      summary: "a file system of {{ $labels.instance }} stays above the pause mark",
      description: "No job begins until it is below the low mark.",
    },
    {
      alert: "GoSandboxPaused",
      expr: `${of("paused")} == 1`,
      for: "1h",
      severity: "warning",
      summary: "no job has begun on {{ $labels.instance }} for an hour",
      description: "A watermark or an operator holds the slots: gofleet-sandbox status says which.",
    },
    {
      alert: "GoSandboxUnwatched",
      expr: `time() - ${of("watch_last_run_timestamp_seconds")} > ${silent}`,
      for: "1m",
      severity: "critical",
      summary: "nobody watches the disks of {{ $labels.instance }}",
      description: "The watermarks were not looked at for {{ $value | humanizeDuration }}.",
    },
    {
      alert: "GoSandboxUnknown",
      expr: `absent(${of("watch_last_run_timestamp_seconds")})`,
      for: "15m",
      severity: "critical",
      summary: "no host tells anything",
      description: "node_exporter does not answer, or does not read the sandbox's metrics files.",
    },
  ];
}

function nameRules({ component }: SandboxAlertOptions): readonly AlertRule[] {
  const of = (metric: string) => `gofleet_sandbox_egress_${metric}{component="${component}"}`;
  return [
    {
      alert: "GoSandboxNameUnknown",
      expr: `${of("addresses")} == 0`,
      for: "10m",
      severity: "warning",
      summary: "{{ $labels.name }} has no address on {{ $labels.instance }}",
      description: "Jobs may reach it, and cannot: network.resolver does not know the name.",
    },
    {
      alert: "GoSandboxNamesOld",
      expr: `time() - ${of("last_run_timestamp_seconds")} > 900`,
      for: "1m",
      severity: "warning",
      summary: "allowed names are not looked up on {{ $labels.instance }}",
      description:
        "Not for {{ $value | humanizeDuration }}; an hour after its last look-up an address is closed to jobs.",
    },
  ];
}

function cacheRules({ component, persistEvery }: SandboxAlertOptions): readonly AlertRule[] {
  const of = (metric: string) => `gofleet_build_cache_${metric}{component="${component}"}`;
  const which = "build cache {{ $labels.cache }} of {{ $labels.instance }}";
  const copied: AlertRule = {
    alert: "GoSandboxCacheNotCopied",
    expr: `time() - ${of("persisted_timestamp_seconds")} > ${3 * persistEvery}`,
    for: "10m",
    severity: "warning",
    summary: `${which} was not copied to the disk`,
    description: "The last copy is {{ $value | humanizeDuration }} old; a reboot goes back to it.",
  };
  return [
    {
      alert: "GoSandboxCacheStoresNothing",
      expr: `${of("stores")} == 0`,
      for: "10m",
      severity: "warning",
      summary: `${which} stores nothing`,
      description: "It is full, read-only or missing: each build begins anew and says nothing of it.",
    },
    {
      alert: "GoSandboxCacheOverBudget",
      expr: `${of("over_budget")} == 1`,
      for: "1h",
      severity: "warning",
      summary: `${which} stays over its budget`,
      description: "Everything in it was used just now, or is not the go command's. Give it more room.",
    },
    {
      alert: "GoSandboxCacheBroken",
      expr: `increase(${of("broken_files_total")}[1h]) > 0`,
      for: "0m",
      severity: "warning",
      summary: `files of ${which} were damaged`,
      description: "They were removed, and are built again. Look at the disk, or at the memory.",
    },
    {
      alert: "GoSandboxCacheKeeperFails",
      expr: `${of("failed")} == 1`,
      for: "30m",
      severity: "warning",
      summary: `${which} could not be kept`,
      description: "gofleet-cache report says why.",
    },
    {
      alert: "GoSandboxCacheUnkept",
      expr: `time() - ${of("last_run_timestamp_seconds")} > ${UNKEPT}`,
      for: "10m",
      severity: "warning",
      summary: `${which} is not kept`,
      description: "Nothing was done about its budget and its damage for {{ $value | humanizeDuration }}.",
    },
    ...(persistEvery > 0 ? [copied] : []),
  ];
}

function denialRule({ component }: SandboxAlertOptions): AlertRule {
  const events = `gofleet_sandbox_apparmor_events_total{component="${component}",verdict="denied"}`;
  return {
    alert: "GoSandboxDenied",
    expr: `sum by (instance, profile, operation) (increase(${events}[1h])) > 0`,
    for: "0m",
    severity: "warning",
    summary: "AppArmor denied {{ $labels.operation }} to {{ $labels.profile }} on {{ $labels.instance }}",
    description: "A job tried a way out, or needs what its profile does not allow: gofleet-sandbox denials says what.",
  };
}
