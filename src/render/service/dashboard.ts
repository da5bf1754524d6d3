import { dashboardFile, GOOD_BAD, ofShown as of, query } from "../monitoring/dashboard";
import { panel, row, stat, type Panel } from "../monitoring/panels";
import { RECORDED } from "./recording";

/**
 * A Grafana dashboard for services, JSON to be imported; what it shows of requests is recorded by `serviceRules`, the
 * rest is what Prometheus' Go client tells of every program.
 */
export function serviceDashboard(): string {
  return dashboardFile({
    uid: "gofleet-go-service",
    title: "Go service",
    component: { label: "Service", metric: RECORDED.up },
    panels: PANELS,
  });
}

const INSTANCE = "{{instance}}";
const change = `${of(RECORDED.main)} / ${of(RECORDED.mainBefore)} - 1`;

const PANELS: readonly Panel[] = [
  stat("Hosts that do not answer", query(`count(${of("up")} == 0) or vector(0)`, "down"), { thresholds: GOOD_BAD }),
  stat("Requests", query(of(RECORDED.requests), "requests"), { unit: "reqps" }),
  stat("Failed", query(of(RECORDED.errors), "failed"), {
    unit: "percentunit",
    thresholds: [
      { color: "green", value: null },
      { color: "orange", value: 0.005 },
      { color: "red", value: 0.05 },
    ],
  }),
  stat("Main metric, against before", query(change, "change"), {
    unit: "percentunit",
    thresholds: [
      { color: "red", value: null },
      { color: "green", value: -0.3 },
    ],
  }),
  stat("Memory, largest", query(`max(${of("process_resident_memory_bytes")})`, "memory"), { unit: "bytes" }),
  stat("Starts, 24 hours", query(`sum(changes(${of("process_start_time_seconds")}[24h]))`, "starts"), {
    unit: "locale",
  }),
  row("Requests"),
  panel("Requests by host", [query(of(RECORDED.requestsByInstance), INSTANCE)], { unit: "reqps", stacked: true }),
  panel("Failed by host", [query(of(RECORDED.errorsByInstance), INSTANCE)], { unit: "percentunit" }),
  panel("Time to answer", [query(of(RECORDED.latency), "quantile")], { unit: "s" }),
  panel("Main metric", [query(of(RECORDED.main), "now"), query(of(RECORDED.mainBefore), "before")], {
    unit: "short",
    dashed: ["before"],
  }),
  row("Process"),
  panel("Processor", [query(`rate(${of("process_cpu_seconds_total")}[5m])`, INSTANCE)], { unit: "short" }),
  panel("Memory", [query(of("process_resident_memory_bytes"), INSTANCE)], { unit: "bytes" }),
  panel("Open files", [query(`${of("process_open_fds")} / ${of("process_max_fds")}`, INSTANCE)], {
    unit: "percentunit",
  }),
  panel("Running for", [query(`time() - ${of("process_start_time_seconds")}`, INSTANCE)], { unit: "s" }),
  row("Go"),
  panel("Goroutines", [query(of("go_goroutines"), INSTANCE)], { unit: "short" }),
  panel("Longest pause of a collection", [query(of("go_gc_duration_seconds", ',quantile="1"'), INSTANCE)], {
    unit: "s",
  }),
  panel("Heap in use", [query(of("go_memstats_heap_inuse_bytes"), INSTANCE)], { unit: "bytes" }),
  panel(
    "Wait for a processor, 99 %",
    [
      query(
        `histogram_quantile(0.99, sum by (instance, le) (rate(${of("go_sched_latencies_seconds_bucket")}[5m])))`,
        INSTANCE,
      ),
    ],
    { unit: "s" },
  ),
];
