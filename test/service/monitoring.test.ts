import assert from "node:assert/strict";
import { resolveMetrics } from "../../src/model/service/metrics";
import { serviceRules, serviceScrapeConfig } from "../../src/render/service/alerts";
import { Promtool, type Series } from "../support/promtool";

const MIB = 2 ** 20;
const METRICS = resolveMetrics(
  {
    latency: { above: "500 ms" },
    main: { query: 'sum(rate(cache_hits_total{component="buildcache"}[5m]))', floor: 10, against: "2 h" },
    goroutines: 10_000,
    schedulerLatency: "10 ms",
    labels: { team: "storage" },
    runbook: "https://wiki.corp.example/buildcache",
  },
  { listen: [":7070"] },
);
const RULES = serviceRules({ component: "buildcache", metrics: METRICS, memoryLimit: 100 * MIB });

const HOST = 'component="buildcache",instance="10.20.0.11:7070"';
const OTHER = 'component="other",instance="10.20.0.11:9090"';

/** Minutes of a good time, and of the trouble after it. */
const [BEFORE, AFTER] = [180, 60];

/** When the trouble has lasted for so many minutes. */
const since = (minutes: number) => ({ after: `${BEFORE + minutes}m`, every: "1m" });

const always = (value: number) => `${value}x${BEFORE + AFTER}`;
/** A counter that rises by so much each minute, and by another number from the trouble's beginning. */
const rises = (each: number, then = each) => `0+${each}x${BEFORE} ${each * BEFORE + then}+${then}x${AFTER}`;
const until = (value: number, then: number) => `${value}x${BEFORE} ${then}x${AFTER}`;

const requests = (code: string) => `http_requests_total{${HOST},code="${code}"}`;
const bucket = (metric: string, le: string) => `${metric}_bucket{${HOST},le="${le}"}`;
const slow = "http_request_duration_seconds";
const scheduler = "go_sched_latencies_seconds";

/** 100 requests per second, of which 1 in 1000 fails. */
const WELL: Series = {
  [`up{${HOST}}`]: always(1),
  [requests("200")]: rises(5994),
  [requests("500")]: rises(6),
  [bucket(slow, "0.1")]: rises(6000),
  [bucket(slow, "1")]: rises(6000),
  [bucket(slow, "+Inf")]: rises(6000),
  [`cache_hits_total{${HOST}}`]: rises(3000),
  [`process_start_time_seconds{${HOST}}`]: always(5),
  [`process_open_fds{${HOST}}`]: always(100),
  [`process_max_fds{${HOST}}`]: always(1000),
  [`process_resident_memory_bytes{${HOST}}`]: always(90 * MIB),
  [`go_goroutines{${HOST}}`]: always(500),
  [bucket(scheduler, "0.001")]: rises(6000),
  [bucket(scheduler, "0.1")]: rises(6000),
  [bucket(scheduler, "+Inf")]: rises(6000),
  // Another service, of which nothing is asked here.
  [`http_requests_total{${OTHER},code="500"}`]: rises(6000),
  [`up{${OTHER}}`]: always(0),
};

interface Trouble {
  /** What is another way than well. */
  readonly series: Series;
  /** It must have lasted for more minutes than this, and for less than the next. */
  readonly silentAt?: number;
  readonly at: number;
  readonly alerts: readonly string[];
}

/** Rates are of two minutes, so that a ratio takes as long to be what it is. */
const TROUBLE: Readonly<Record<string, Trouble>> = {
  "the service is down": { series: { [`up{${HOST}}`]: until(1, 0) }, silentAt: 5, at: 7, alerts: ["GoServiceDown"] },
  "more than 0.5 % of the requests fail": {
    series: { [requests("200")]: rises(5994, 5940), [requests("500")]: rises(6, 60) },
    silentAt: 5,
    at: 9,
    alerts: ["GoServiceErrorRate"],
  },
  "more than 5 % fail": {
    series: { [requests("200")]: rises(5994, 5400), [requests("500")]: rises(6, 600) },
    silentAt: 2,
    at: 4,
    alerts: ["GoServiceServerErrors"],
  },
  "more than 5 % fail for longer": {
    series: { [requests("200")]: rises(5994, 5400), [requests("500")]: rises(6, 600) },
    at: 12,
    alerts: ["GoServiceErrorRate", "GoServiceServerErrors"],
  },
  "requests take long": {
    series: { [bucket(slow, "0.1")]: rises(6000, 5000) },
    silentAt: 5,
    at: 10,
    alerts: ["GoServiceSlow"],
  },
  "the main metric is 30 % below what it was": {
    series: { [`cache_hits_total{${HOST}}`]: rises(3000, 1800) },
    silentAt: 5,
    at: 15,
    alerts: ["GoServiceMainMetric"],
  },
  "the main metric is gone": {
    series: { [`cache_hits_total{${HOST}}`]: `0+3000x${BEFORE}` },
    at: 20,
    alerts: ["GoServiceMainMetric"],
  },
  "it starts again and again": {
    series: { [`process_start_time_seconds{${HOST}}`]: `5x${BEFORE} 6x5 7x5 8x50` },
    silentAt: 10,
    at: 13,
    alerts: ["GoServiceRestarts"],
  },
  "its files are nearly all open": {
    series: { [`process_open_fds{${HOST}}`]: until(100, 950) },
    silentAt: 10,
    at: 12,
    alerts: ["GoServiceFiles"],
  },
  "its memory is nearly all used": {
    series: { [`process_resident_memory_bytes{${HOST}}`]: until(90 * MIB, 96 * MIB) },
    silentAt: 10,
    at: 12,
    alerts: ["GoServiceMemory"],
  },
  "goroutines leak": {
    series: { [`go_goroutines{${HOST}}`]: until(500, 10_001) },
    silentAt: 10,
    at: 12,
    alerts: ["GoServiceGoroutines"],
  },
  "goroutines wait for a processor": {
    series: { [bucket(scheduler, "0.001")]: rises(6000, 5000) },
    silentAt: 10,
    at: 17,
    alerts: ["GoServiceScheduling"],
  },
};

/** What looks bad and says nothing. */
const HARMLESS: Readonly<Record<string, Series>> = {
  "every request fails, of less than one per second": {
    [requests("200")]: rises(40, 0),
    [requests("500")]: rises(0, 50),
    [bucket(slow, "0.1")]: rises(40, 0),
    [bucket(slow, "1")]: rises(40, 0),
    [bucket(slow, "+Inf")]: rises(40, 50),
  },
  "nobody asks for anything": {
    [requests("200")]: rises(5994, 0),
    [requests("500")]: rises(6, 0),
    [bucket(slow, "0.1")]: rises(6000, 0),
    [bucket(slow, "1")]: rises(6000, 0),
    [bucket(slow, "+Inf")]: rises(6000, 0),
  },
  "nothing has ever failed": { [requests("500")]: `_x${BEFORE + AFTER}` },
  "a main metric that was small before is gone": { [`cache_hits_total{${HOST}}`]: rises(500, 0) },
  "the main metric is a quarter below what it was": { [`cache_hits_total{${HOST}}`]: rises(3000, 2250) },
  "it was updated": { [`process_start_time_seconds{${HOST}}`]: until(5, 6) },
};

describe("a service's alert rules, by Prometheus", function () {
  this.timeout(120_000);
  let prometheus: Promtool;
  before(function () {
    prometheus = Promtool.open(this, RULES);
  });
  after(() => prometheus?.close());

  it("are good rules, and the job a good configuration", () => {
    assert.match(prometheus.checkRules(), /19 rules found/);
    prometheus.checkConfig(serviceScrapeConfig("buildcache", METRICS, ["10.20.0.11", "2001:db8::1"]));
  });

  it("are silent where all is well", () => assert.deepEqual(prometheus.firing(WELL, since(30)), []));

  it("say so when nobody reads its metrics", () => {
    const { [`up{${HOST}}`]: _up, ...rest } = WELL;
    const alerts = prometheus.firing(rest, since(30));
    assert.deepEqual(alerts, ["GoServiceUnwatched"]);
  });

  for (const [name, { series, silentAt, at, alerts }] of Object.entries(TROUBLE)) {
    it(`say so when ${name}${silentAt === undefined ? "" : ", and not at once"}`, () => {
      assert.deepEqual(prometheus.firing({ ...WELL, ...series }, since(at)), alerts);
      if (silentAt !== undefined) {
        assert.deepEqual(prometheus.firing({ ...WELL, ...series }, since(silentAt)), []);
      }
    });
  }

  for (const [name, series] of Object.entries(HARMLESS)) {
    it(`say nothing when ${name}`, () => assert.deepEqual(prometheus.firing({ ...WELL, ...series }, since(30)), []));
  }
});
