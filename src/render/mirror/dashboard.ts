import { dashboardFile, FULL, GOOD_BAD, ofShown as of, query } from "../monitoring/dashboard";
import { panel, row, stat, type Panel } from "../monitoring/panels";

/** A Grafana dashboard for mirrors, JSON to be imported; the metrics are those of `scrapeConfig`. */
export function dashboard(): string {
  return dashboardFile({
    uid: "gofleet-go-mirror",
    title: "Go module mirror",
    component: { label: "Mirror", metric: "gofleet_store_versions" },
    panels: PANELS,
  });
}

const PANELS: readonly Panel[] = [
  stat("Store used", query(of("gofleet_store_usage_ratio"), "used"), {
    unit: "percentunit",
    kind: "gauge",
    thresholds: FULL,
  }),
  stat("Mode", query(of("gofleet_store_read_only"), "mode"), {
    thresholds: GOOD_BAD,
    words: { 0: "writable", 1: "read-only" },
  }),
  stat("Versions", query(of("gofleet_store_versions"), "versions"), { unit: "locale" }),
  stat("Certificate", query(`${of("gofleet_mirror_certificate_not_after_timestamp_seconds")} - time()`, "left"), {
    unit: "dtdurations",
    thresholds: [
      { color: "red", value: null },
      { color: "orange", value: 7 * 86400 },
      { color: "green", value: 21 * 86400 },
    ],
  }),
  stat("Served from the store", query(hitRate(), "hits"), { unit: "percentunit" }),
  stat("Broken, 7 days", query(`increase(${of("gofleet_store_broken_versions_total")}[7d])`, "broken"), {
    thresholds: GOOD_BAD,
    unit: "locale",
  }),
  row("Store"),
  panel(
    "Size",
    [query(of("gofleet_store_bytes"), "store"), query(`${of("gofleet_store_budget_bytes")} > 0`, "budget")],
    {
      unit: "bytes",
      dashed: ["budget"],
    },
  ),
  panel(
    "File system",
    [
      query(of("gofleet_store_filesystem_used_bytes"), "used"),
      query(of("gofleet_store_filesystem_free_bytes"), "free"),
    ],
    { unit: "bytes", stacked: true },
  ),
  panel(
    "Inodes",
    [
      query(of("gofleet_store_filesystem_used_inodes"), "used"),
      query(of("gofleet_store_filesystem_free_inodes"), "free"),
    ],
    {
      unit: "short",
      stacked: true,
    },
  ),
  panel(
    "Collected and broken versions per hour",
    [
      query(`increase(${of("gofleet_store_collected_versions_total")}[1h])`, "collected"),
      query(`increase(${of("gofleet_store_broken_versions_total")}[1h])`, "broken"),
    ],
    { unit: "locale" },
  ),
  row("Athens: what nginx does not serve from the store"),
  panel("Requests", [query(`rate(${of("proxy_opencensus_io_http_server_request_count")}[5m])`, "requests")], {
    unit: "reqps",
  }),
  panel(
    "Time to answer",
    [0.5, 0.95, 0.99].map((quantile) => query(latency(quantile), `${quantile * 100} %`)),
    { unit: "ms" },
  ),
  panel(
    "Looked up in the store",
    [query(`sum by (cache_result) (rate(${of("proxy_cache_lookup_total")}[5m]))`, "{{cache_result}}")],
    { unit: "reqps", stacked: true },
  ),
  panel("Tiers that answer", [query(of("gofleet_mirror_tier_up"), "{{tier}}")], { unit: "bool_yes_no" }),
];

function hitRate(): string {
  const rate = (labels: string) => `sum(rate(${of("proxy_cache_lookup_total", labels)}[1h]))`;
  return `${rate(',cache_result="hit"')} / ${rate("")}`;
}

function latency(quantile: number): string {
  const bucket = `rate(${of("proxy_opencensus_io_http_server_latency_bucket")}[5m])`;
  return `histogram_quantile(${quantile}, sum by (le) (${bucket}))`;
}
