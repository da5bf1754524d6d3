import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxAlertRules, sandboxScrapeConfig } from "../../src/render/sandbox/alerts";
import { sandboxDashboard } from "../../src/render/sandbox/dashboard";
import { REPOSITORY } from "../support/engine/project";
import { Promtool, type Series } from "../support/promtool";

const RULES = sandboxAlertRules({ component: "ci", watchEvery: 60, persistEvery: 3600, enforced: true });
const HOST = 'component="ci",instance="builder:9100"';
const CACHE = `${HOST},cache="1"`;

const WELL: Series = {
  [`gofleet_sandbox_reclaim_stuck{${HOST}}`]: "0x1500",
  [`gofleet_sandbox_full{${HOST}}`]: "0x1500",
  [`gofleet_sandbox_paused{${HOST}}`]: "0x1500",
  [`gofleet_sandbox_watch_last_run_timestamp_seconds{${HOST}}`]: "0+60x1500",
  [`gofleet_sandbox_egress_addresses{${HOST},name="git.corp.example"}`]: "2x1500",
  [`gofleet_sandbox_egress_last_run_timestamp_seconds{${HOST}}`]: "0+60x1500",
  [`gofleet_sandbox_apparmor_events_total{${HOST},verdict="denied",profile="gofleet-ci-1",operation="open"}`]: "4x1500",
  [`gofleet_sandbox_apparmor_events_total{${HOST},verdict="allowed",profile="gofleet-ci-1",operation="open"}`]:
    "0+1x1500",
  [`gofleet_build_cache_stores{${CACHE}}`]: "1x1500",
  [`gofleet_build_cache_over_budget{${CACHE}}`]: "0x1500",
  [`gofleet_build_cache_broken_files_total{${CACHE}}`]: "3x1500",
  [`gofleet_build_cache_failed{${CACHE}}`]: "0x1500",
  [`gofleet_build_cache_last_run_timestamp_seconds{${CACHE}}`]: "0+60x1500",
  [`gofleet_build_cache_persisted_timestamp_seconds{${CACHE}}`]: "0+60x1500",
  // Another sandbox, of which nothing is asked here.
  'gofleet_sandbox_reclaim_stuck{component="other",instance="builder:9100"}': "1x1500",
};

const STOPS = "0+60x1000 60000x500";

/** What goes wrong, and the alerts that it must raise, and no others. */
const TROUBLE: Readonly<Record<string, readonly [series: string, values: string, alerts: readonly string[]]>> = {
  "nothing could be freed": [`gofleet_sandbox_reclaim_stuck{${HOST}`, "1x1500", ["GoSandboxStuck"]],
  "a disk stays full": ["gofleet_sandbox_full", "1x1500", ["GoSandboxFull"]],
  "no job begins": ["gofleet_sandbox_paused", "1x1500", ["GoSandboxPaused"]],
  "nobody looks": ["gofleet_sandbox_watch_last_run", STOPS, ["GoSandboxUnwatched"]],
  "no host answers": ["gofleet_sandbox_watch_last_run", "_x1500", ["GoSandboxUnknown"]],
  "a name is unknown": ["gofleet_sandbox_egress_addresses", "0x1500", ["GoSandboxNameUnknown"]],
  "names are not looked up": ["gofleet_sandbox_egress_last_run", STOPS, ["GoSandboxNamesOld"]],
  "a job is denied something": [
    `gofleet_sandbox_apparmor_events_total{${HOST},verdict="denied"`,
    "4x1420 5x80",
    ["GoSandboxDenied"],
  ],
  "a cache stores nothing": ["gofleet_build_cache_stores", "0x1500", ["GoSandboxCacheStoresNothing"]],
  "a cache is too large": ["gofleet_build_cache_over_budget", "1x1500", ["GoSandboxCacheOverBudget"]],
  "a cache is damaged": ["gofleet_build_cache_broken", "3x1420 4x80", ["GoSandboxCacheBroken"]],
  "a cache cannot be kept": ["gofleet_build_cache_failed", "1x1500", ["GoSandboxCacheKeeperFails"]],
  "a cache is left alone": ["gofleet_build_cache_last_run", STOPS, ["GoSandboxCacheUnkept"]],
  "copies are not made": ["gofleet_build_cache_persisted", STOPS, ["GoSandboxCacheNotCopied"]],
};

/** Where the host's program names its metrics; those of caches without their common beginning. */
const TOLD = ["watch/report.go", "denials/collect.go", "egress/egress.go"];

describe("a sandbox's alert rules, by Prometheus", function () {
  let prometheus: Promtool;
  before(function () {
    prometheus = Promtool.open(this, RULES);
  });
  after(() => prometheus?.close());

  it("are good rules, and the job a good configuration", () => {
    assert.match(prometheus.checkRules(), /14 rules found/);
    prometheus.checkConfig(sandboxScrapeConfig("ci", ["10.20.0.11", "2001:db8::1"]));
  });

  it("are silent where all is well", () => assert.deepEqual(prometheus.firing(WELL), []));

  for (const [name, [start, values, alerts]] of Object.entries(TROUBLE)) {
    it(`say so when ${name}`, () => {
      const series = Object.entries(WELL).map(([each, well]) => [each, each.startsWith(start) ? values : well]);
      assert.deepEqual(prometheus.firing(Object.fromEntries(series) as Series), alerts);
    });
  }

  it("ask, as the dashboard does, only for what the host's program tells", () => {
    const source = (path: string) => readFileSync(join(REPOSITORY, "hosttools", "sandbox", "internal", path), "utf8");
    const told = new Set(TOLD.flatMap((path) => source(path).match(/gofleet_sandbox_\w+/g) ?? []));
    for (const [, name] of source("cache/metrics/metrics.go").matchAll(/^\t\{"(\w+)", "(?:gauge|counter)"/gm))
      told.add(`gofleet_build_cache_${name}`);
    const asked = new Set((RULES + sandboxDashboard()).match(/gofleet_(sandbox|build_cache)_\w+/g));
    assert.deepEqual(
      [...asked].filter((name) => !told.has(name)),
      [],
    );
    assert.ok(asked.size > 15);
  });
});
