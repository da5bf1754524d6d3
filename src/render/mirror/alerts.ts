import { prometheusYaml, rulesFile, type AlertRule } from "../monitoring/rules";

/** What the rules must know of a mirror. */
export interface AlertOptions {
  /** The component's directory name: the value of the label `component` that {@link scrapeConfig} sets. */
  readonly component: string;
  /** Seconds between two runs of the store's keeper, and between two repairs; undefined: nobody keeps the store here. */
  readonly store: { readonly watchEvery: number; readonly repairEvery: number } | undefined;
}

/**
 * Alerting rules for Prometheus, YAML.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export function alertRules(options: AlertOptions): string {
  return rulesFile(options.component, rulesOf(options));
}

/**
 * Jobs for a Prometheus that reaches the mirror's status port, which listens on the host's loopback only: one that runs
 * there, or an agent that sends on.
 *
 * @param status address of the status server, such as `127.0.0.1:9180`
 * @param kept whether the store is kept on the host, and so has metrics
 */
export function scrapeConfig(component: string, status: string, kept: boolean): string {
  const job = (part: "athens" | "store") => ({
    job_name: `gofleet-${component}-${part}`,
    metrics_path: `/metrics/${part}`,
    static_configs: [{ targets: [status], labels: { component } }],
  });
  return prometheusYaml({ scrape_configs: [job("athens"), ...(kept ? [job("store")] : [])] });
}

function rulesOf({ component, store }: AlertOptions): readonly AlertRule[] {
  const down: AlertRule = {
    alert: "GoMirrorDown",
    expr: `up{component="${component}"} == 0`,
    for: "5m",
    severity: "critical",
    summary: "{{ $labels.job }} does not answer",
    description: "Stored versions are served while Athens is down; nothing else is.",
  };
  return store === undefined ? [down] : [down, ...storeRules(component, store)];
}

/** What the store's keeper tells of: the store itself, the certificate and the tiers. */
function storeRules(component: string, { watchEvery, repairEvery }: NonNullable<AlertOptions["store"]>): AlertRule[] {
  const of = (metric: string) => `${metric}{component="${component}"}`;
  const silent = Math.max(300, 10 * watchEvery);
  const overdue = Math.max(3600, 6 * repairEvery);
  const end = of("gofleet_mirror_certificate_not_after_timestamp_seconds");
  const begin = of("gofleet_mirror_certificate_not_before_timestamp_seconds");
  // Of a certificate that lasts days the share counts: its renewal is due at a third of its time.
  const expires = (seconds: number, share: number) =>
    `${end} - time() < ${seconds} and (${end} - time()) / (${end} - ${begin}) < ${share}`;
  return [
    {
      alert: "GoMirrorStoreReadOnly",
      expr: `${of("gofleet_store_read_only")} == 1`,
      for: "1m",
      severity: "critical",
      summary: "the store is read-only",
      description:
        "It is nearly full: versions that it lacks are refused until there is room. Add disk or raise the budget.",
    },
    {
      alert: "GoMirrorStoreStuck",
      expr: `${of("gofleet_store_gc_stuck")} == 1`,
      for: "5m",
      severity: "critical",
      summary: "the store is too full and nothing may be collected",
      description: "Every version is kept by a pattern or too new. It becomes read-only next.",
    },
    {
      alert: "GoMirrorStoreFull",
      expr: `${of("gofleet_store_usage_ratio")} >= ${of("gofleet_store_alert_ratio")}`,
      for: "30m",
      severity: "warning",
      summary: "the store stays at {{ $value | humanizePercentage }} of its limit",
      description: "Versions are collected as fast as they come. Builds fetch again what was collected.",
    },
    {
      alert: "GoMirrorDiskFullSoon",
      expr: `predict_linear(${of("gofleet_store_filesystem_free_bytes")}[6h], 86400) < 0`,
      for: "1h",
      severity: "warning",
      summary: "the store's file system will be full within a day",
      description: "At the pace of the last six hours.",
    },
    {
      alert: "GoMirrorStoreBroken",
      expr: `increase(${of("gofleet_store_broken_versions_total")}[1h]) > 0`,
      for: "0m",
      severity: "warning",
      summary: "versions in the store were broken",
      description: "They were taken out and are fetched anew. The keeper's journal names them; look at the disk.",
    },
    {
      alert: "GoMirrorKeeperSilent",
      expr: `time() - ${of("gofleet_store_last_run_timestamp_seconds")} > ${silent}`,
      for: "1m",
      severity: "critical",
      summary: "nobody watches the store",
      description: "The keeper has not run for {{ $value | humanizeDuration }}; a disk that fills up goes unnoticed.",
    },
    {
      alert: "GoMirrorRepairOverdue",
      expr: `time() - ${of("gofleet_store_last_repair_timestamp_seconds")} > ${overdue}`,
      for: "10m",
      severity: "warning",
      summary: "the store was not looked through",
      description: "Not every version was looked at for {{ $value | humanizeDuration }}.",
    },
    {
      alert: "GoMirrorCertificateExpires",
      expr: expires(21 * 86_400, 0.25),
      for: "1h",
      severity: "warning",
      summary: "the certificate expires in {{ $value | humanizeDuration }}",
      description: "It, or one of its chain. Renew it and run the program again.",
    },
    {
      alert: "GoMirrorCertificateExpiresNow",
      expr: expires(7 * 86_400, 0.125),
      for: "0m",
      severity: "critical",
      summary: "the certificate expires in {{ $value | humanizeDuration }}",
      description: "Every build fails from then on.",
    },
    {
      alert: "GoMirrorTierDown",
      expr: `${of("gofleet_mirror_tier_up")} == 0`,
      for: "10m",
      severity: "warning",
      summary: "{{ $labels.tier }} does not answer",
      description: "Requests fall through to the tier after it.",
    },
  ];
}
