import { dashboardFile, FULL, GOOD_BAD, ofShown, query } from "../monitoring/dashboard";
import { panel, row, stat, type Panel } from "../monitoring/panels";

/** A Grafana dashboard for build sandboxes, JSON to be imported; the metrics are those of `sandboxScrapeConfig`. */
export function sandboxDashboard(): string {
  return dashboardFile({
    uid: "gofleet-build-sandbox",
    title: "Go build sandbox",
    component: { label: "Sandbox", metric: "gofleet_sandbox_paused" },
    panels: PANELS,
  });
}

const of = (metric: string, labels?: string) => ofShown(`gofleet_sandbox_${metric}`, labels);
const ofCaches = (metric: string) => ofShown(`gofleet_build_cache_${metric}`);
/** The worst of all hosts. */
const worst = (expr: string) => `max(${expr})`;
const perHour = (counter: string) => `increase(${counter}[1h])`;
const CACHE = "{{instance}} {{cache}}";

const PANELS: readonly Panel[] = [
  stat("Fullest file system", query(worst(of("filesystem_used_ratio")), "used"), {
    unit: "percentunit",
    kind: "gauge",
    thresholds: FULL,
  }),
  stat("Jobs", query(worst(of("paused")), "jobs"), { thresholds: GOOD_BAD, words: { 0: "begin", 1: "paused" } }),
  stat("Room", query(worst(of("reclaim_stuck")), "room"), { thresholds: GOOD_BAD, words: { 0: "enough", 1: "none" } }),
  stat("Looked at", query(worst(`time() - ${of("watch_last_run_timestamp_seconds")}`), "ago"), {
    unit: "s",
    thresholds: [
      { color: "green", value: null },
      { color: "orange", value: 300 },
      { color: "red", value: 600 },
    ],
  }),
  stat("Found in the cache, last jobs", query(`avg(${ofCaches("job_hit_ratio")})`, "found"), { unit: "percentunit" }),
  stat(
    "Denied, 24 hours",
    query(`sum(increase(${of("apparmor_events_total", ',verdict="denied"')}[24h])) or vector(0)`, "denied"),
    {
      unit: "locale",
      thresholds: [
        { color: "green", value: null },
        { color: "orange", value: 1 },
      ],
    },
  ),
  row("File systems"),
  panel(
    "Use, of bytes or of inodes",
    [
      query(of("filesystem_used_ratio"), "{{instance}} {{path}}"),
      query(worst(of("pause_ratio")), "no job begins"),
      query(worst(of("reclaim_ratio")), "caches are emptied"),
    ],
    { unit: "percentunit", dashed: ["no job begins", "caches are emptied"] },
  ),
  panel("Freed for want of room, per hour", [query(perHour(of("reclaimed_bytes_total")), "{{instance}}")], {
    unit: "bytes",
  }),
  row("Build caches"),
  panel("Size", [query(ofCaches("bytes"), CACHE), query(worst(ofCaches("budget_bytes")), "budget")], {
    unit: "bytes",
    dashed: ["budget"],
  }),
  panel("Found in the cache by each last job", [query(ofCaches("job_hit_ratio"), CACHE)], { unit: "percentunit" }),
  panel(
    "Removed and damaged entries per hour",
    [
      query(`sum(${perHour(ofCaches("pruned_entries_total"))})`, "removed"),
      query(`sum(${perHour(ofCaches("broken_files_total"))})`, "damaged"),
    ],
    { unit: "locale" },
  ),
  panel("Age of copies on the disk", [query(`time() - ${ofCaches("persisted_timestamp_seconds")}`, CACHE)], {
    unit: "s",
  }),
  row("AppArmor and network"),
  panel(
    "Denied, and in complain mode only noted, per hour",
    [query(`sum by (verdict, operation) (${perHour(of("apparmor_events_total"))})`, "{{verdict}} {{operation}}")],
    { unit: "locale", stacked: true },
  ),
  panel("Addresses of allowed names", [query(of("egress_addresses"), "{{instance}} {{name}}")], { unit: "locale" }),
];
