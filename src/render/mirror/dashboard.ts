import { panel, row, stat, type Panel, type Query } from "./dashboard-panels";

/**
 * A Grafana dashboard for mirrors, JSON to be imported. It asks for the Prometheus data source and the component when it
 * is opened; the metrics are those of `scrapeConfig`.
 *
 * @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
export function dashboard(): string {
  return `${JSON.stringify(
    {
      uid: "gofleet-go-mirror",
      title: "Go module mirror",
      tags: ["gofleet", "go"],
      schemaVersion: 39,
      version: 1,
      editable: true,
      graphTooltip: 1,
      refresh: "1m",
      time: { from: "now-24h", to: "now" },
      timezone: "browser",
      templating: { list: [dataSource, component] },
      panels: placed(PANELS),
    },
    null,
    2,
  )}\n`;
}

const dataSource = { name: "source", label: "Data source", type: "datasource", query: "prometheus" };

const component = {
  name: "component",
  label: "Mirror",
  type: "query",
  datasource: { type: "prometheus", uid: "${source}" },
  query: { query: "label_values(gofleet_store_versions, component)", refId: "component" },
  refresh: 2,
  sort: 1,
};

const of = (metric: string) => `${metric}{component="$component"}`;
const query = (expr: string, legend: string): Query => ({ expr, legend });

/** Blue is plain, green good, orange a warning, red wrong: the same all over. */
const GOOD_BAD = [
  { color: "green", value: null },
  { color: "red", value: 1 },
];

const PANELS: readonly Panel[] = [
  stat("Store used", query(of("gofleet_store_usage_ratio"), "used"), {
    unit: "percentunit",
    kind: "gauge",
    thresholds: [
      { color: "green", value: null },
      { color: "orange", value: 0.85 },
      { color: "red", value: 0.95 },
    ],
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
  const rate = (labels: string) => `sum(rate(proxy_cache_lookup_total{component="$component"${labels}}[1h]))`;
  return `${rate(',cache_result="hit"')} / ${rate("")}`;
}

function latency(quantile: number): string {
  const bucket = `rate(${of("proxy_opencensus_io_http_server_latency_bucket")}[5m])`;
  return `histogram_quantile(${quantile}, sum by (le) (${bucket}))`;
}

/** Small panels six a line, large ones two; a row starts a new line. The grid is 24 wide. */
function placed(panels: readonly Panel[]): readonly object[] {
  let [x, y, height] = [0, 0, 0];
  return panels.map((each, index) => {
    if (x + each.width > 24 || each.width === 24) [x, y, height] = [0, y + height, 0];
    const gridPos = { x, y, w: each.width, h: each.height };
    [x, height] = [x + each.width, Math.max(height, each.height)];
    return { id: index + 1, ...each.json, gridPos };
  });
}
