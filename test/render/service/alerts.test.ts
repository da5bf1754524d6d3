import assert from "node:assert/strict";
import { parse } from "yaml";
import { checkErrorRatioGate, checkMainMetricGate } from "../../../src/model/gate-presets";
import { ERROR_RATE } from "../../../src/model/request-queries";
import { resolveMetrics } from "../../../src/model/service/metrics";
import type { MetricsArgs } from "../../../src/model/service/metrics-args";
import { serviceRules, serviceScrapeConfig } from "../../../src/render/service/alerts";
import { serviceDashboard } from "../../../src/render/service/dashboard";
import { RECORDED } from "../../../src/render/service/recording";
import { assertGolden } from "../../support/golden";
import { assertNoneOverAnother } from "../dashboard-grid";

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
}

const metrics = (args: MetricsArgs = {}) => resolveMetrics(args, { listen: [":7070"] });

const FULL: MetricsArgs = {
  latency: { above: "500 ms" },
  main: { query: 'sum(rate(cache_hits_total{job="x"}[5m]))', floor: 10 },
  goroutines: 10_000,
  schedulerLatency: "10 ms",
  labels: { team: "storage" },
  runbook: "https://wiki.corp.example/buildcache",
};

const rules = (args: MetricsArgs = {}, component = "buildcache", memoryLimit: number | undefined = 2 ** 31) =>
  (
    parse(serviceRules({ component, metrics: metrics(args), memoryLimit })) as { groups: { rules: Rule[] }[] }
  ).groups.flatMap((group) => group.rules);

describe("a service's rules", () => {
  it("are as written down", () => {
    assertGolden(
      "service/alerts.yml",
      serviceRules({ component: "buildcache", metrics: metrics(FULL), memoryLimit: 2 ** 31 }),
    );
  });

  it("ask for this service alone", () => {
    for (const { alert, record, expr } of rules({ ...FULL, main: undefined }, "other")) {
      assert.match(expr, /\{component="other"/, alert ?? record);
      assert.doesNotMatch(expr, /buildcache/);
    }
  });

  it("are only those that can come true", () => {
    const names = (...given: Parameters<typeof rules>) => rules(...given).map(({ alert, record }) => alert ?? record);
    const lost = (...given: Parameters<typeof rules>) => names(FULL).filter((name) => !names(...given).includes(name));
    assert.deepEqual(lost({ ...FULL, requests: false, latency: undefined }), [
      RECORDED.requests,
      RECORDED.errors,
      RECORDED.requestsByInstance,
      RECORDED.errorsByInstance,
      RECORDED.latency,
      "GoServiceErrorRate",
      "GoServiceServerErrors",
      "GoServiceSlow",
    ]);
    assert.deepEqual(lost({ ...FULL, main: undefined }), [RECORDED.main, RECORDED.mainBefore, "GoServiceMainMetric"]);
    assert.deepEqual(lost({ ...FULL, goroutines: undefined }), ["GoServiceGoroutines"]);
    assert.deepEqual(lost({ ...FULL, schedulerLatency: undefined }), ["GoServiceScheduling"]);
    const unlimited = parse(serviceRules({ component: "x", metrics: metrics(), memoryLimit: undefined })) as object;
    assert.doesNotMatch(JSON.stringify(unlimited), /GoServiceMemory/);
  });

  it("ask what a rollout's gates ask", () => {
    const server = "https://prometheus.corp.example";
    const recorded = new Map(rules(FULL).map(({ record, expr }) => [record, expr]));
    const requests = checkErrorRatioGate({ server, requests: 'component="buildcache"' }, "error-rate", {
      ...ERROR_RATE,
      after: "canary",
    }).gate;
    assert.equal(requests.query, recorded.get(RECORDED.errors));
    assert.equal(requests.traffic?.query, recorded.get(RECORDED.requests));
    assert.equal(requests.for, metrics().requests?.errorRate.for);
    assert.equal(requests.threshold, metrics().requests?.errorRate.above);
    const { query, floor } = FULL.main ?? assert.fail();
    const main = checkMainMetricGate({ server, query, floor }, "main-metric").gate;
    assert.equal(main.query, recorded.get(RECORDED.main));
    assert.equal(main.against, metrics(FULL).main?.against);
    assert.equal(main.threshold, -(metrics(FULL).main?.drop ?? NaN));
  });
});

describe("a service's scrape configuration", () => {
  const targets = (args: MetricsArgs, hosts: readonly string[]) =>
    (
      parse(serviceScrapeConfig("x", metrics(args), hosts)) as {
        scrape_configs: { static_configs: { targets: string[] }[] }[];
      }
    ).scrape_configs[0]?.static_configs[0]?.targets;

  it("is as written down", () => {
    assertGolden("service/scrape.yml", serviceScrapeConfig("buildcache", metrics(), ["10.20.0.11", "2001:db8::1"]));
  });

  it("asks the service where it listens", () => {
    assert.deepEqual(targets({ listen: "0.0.0.0:9100" }, ["a", "b"]), ["a:9100", "b:9100"]);
    assert.deepEqual(targets({ listen: "127.0.0.1:9100" }, ["a", "b"]), ["127.0.0.1:9100"]);
    assert.deepEqual(targets({ listen: "[::1]:9100" }, ["a"]), ["[::1]:9100"]);
    assert.deepEqual(targets({ listen: "10.20.0.99:9100" }, ["a"]), ["10.20.0.99:9100"]);
  });
});

describe("a service's dashboard", () => {
  it("is as written down", () => assertGolden("service/dashboard.json", serviceDashboard()));

  it("has panels beside each other, none over another", () => assertNoneOverAnother(serviceDashboard()));

  it("shows only what is recorded, or what Prometheus' Go client tells of every program", () => {
    const asked = [...serviceDashboard().matchAll(/([a-z_:]+)\{component=/g)].map(([, name = ""]) => name);
    const other = asked.filter((name) => !Object.values<string>(RECORDED).includes(name));
    assert.deepEqual(
      other.filter((name) => !/^(up|go_\w+|process_\w+)$/.test(name)),
      [],
    );
    const unseen = Object.values<string>(RECORDED).filter((name) => !serviceDashboard().includes(name));
    assert.deepEqual(unseen, []);
  });
});
