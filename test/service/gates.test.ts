import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { REAL_CLOCK } from "../../src/host/gates/clock";
import { watchPrometheus } from "../../src/host/gates/prometheus";
import type { CheckedGate } from "../../src/model/gate-check";
import { checkErrorRatioGate, checkMainMetricGate } from "../../src/model/gate-presets";
import type { PrometheusGate } from "../../src/model/gates";
import { resolveMetrics } from "../../src/model/service/metrics";
import { serviceScrapeConfig } from "../../src/render/service/alerts";
import { freePort } from "../support/free-ports";
import { PrometheusServer } from "../support/prometheus-server";

/** Hosts of a pool, as a Prometheus on this machine reaches them. */
const [CANARY, OTHER] = ["127.0.0.2", "127.0.0.3"] as const;
const WEEK = 7 * 24 * 3600;
const QUICK = { for: "3 s", interval: "1 s", deadline: "60 s" } as const;

/** What one host's service counts, each at so many per second. */
class Counters {
  rates = { ok: 50, failed: 0, hits: 100 };
  readonly #counts = { ok: 0, failed: 0, hits: 0 };
  #counted = performance.now();

  text(): string {
    const seconds = (performance.now() - this.#counted) / 1000;
    this.#counted += seconds * 1000;
    for (const name of ["ok", "failed", "hits"] as const) this.#counts[name] += this.rates[name] * seconds;
    const { ok, failed, hits } = this.#counts;
    return [
      "# TYPE http_requests_total counter",
      `http_requests_total{code="200"} ${ok}`,
      // Nothing that never happened: a service has no series of an error before the first one.
      ...(failed === 0 ? [] : [`http_requests_total{code="500"} ${failed}`]),
      "# TYPE cache_hits_total counter",
      `cache_hits_total ${hits}`,
      "",
    ].join("\n");
  }
}

describe("gates that ask a real Prometheus, which scrapes by the job of a service", function () {
  this.timeout(300_000);
  const [canary, other] = [new Counters(), new Counters()];
  const hosts: Readonly<Record<string, Counters>> = { [CANARY]: canary, [OTHER]: other };
  const servers: Server[] = [];
  let prometheus: PrometheusServer;
  let port: number;

  before(async function () {
    prometheus = PrometheusServer.open(this);
    port = await freePort();
    for (const [address, counters] of Object.entries(hosts)) {
      const server = createServer((_request, response) => response.end(counters.text()));
      await new Promise<void>((done) => server.listen(port, address, done));
      servers.push(server);
    }
    const now = Math.floor(Date.now() / 1000);
    prometheus.remember(pastHits(now - WEEK - 300, now - WEEK + 900));
    const metrics = resolveMetrics({ interval: "1 s" }, { listen: [`:${port}`] });
    await prometheus.start(serviceScrapeConfig("buildcache", metrics, Object.keys(hosts)));
    await prometheus.knows(`count(rate(http_requests_total{component="buildcache"}[10s])) == 2`);
  });

  after(async () => {
    await prometheus?.stop();
    for (const server of servers) server.close();
  });

  /** 200 per second a week ago, of both hosts together. */
  const pastHits = (from: number, to: number): string => {
    const samples = [CANARY, OTHER].flatMap((address) =>
      Array.from(
        { length: Math.floor((to - from) / 2) },
        (_, n) => `cache_hits_total{component="buildcache",instance="${address}:${port}"} ${n * 200} ${from + n * 2}`,
      ),
    );
    return ["# TYPE cache_hits counter", ...samples, "# EOF", ""].join("\n");
  };

  /** The gate's verdict on a wave with these hosts. */
  const judge = ({ gate, issues }: CheckedGate<PrometheusGate>, addresses: readonly string[]): Promise<string> => {
    assert.deepEqual(issues, []);
    const wave = {
      number: 1,
      of: 2,
      hosts: addresses.map((address) => ({ key: `at-${address}`, address })),
      component: "buildcache",
      from: "aaaaaaaaaaaaaaaa",
      to: "bbbbbbbbbbbbbbbb",
    };
    const silent = (): void => undefined;
    const { signal } = new AbortController();
    return watchPrometheus(gate, { wave, clock: REAL_CLOCK, signal, secret: undefined, status: silent, info: silent });
  };
  const errors = () =>
    checkErrorRatioGate(
      {
        server: prometheus.url,
        requests: `component="buildcache",instance=~"({addresses}):${port}"`,
        window: "4 s",
        ...QUICK,
      },
      "error-rate",
      { above: 0.005, for: "5 min", after: "canary" },
    );
  const hits = () =>
    checkMainMetricGate(
      {
        server: prometheus.url,
        query: 'sum(rate(cache_hits_total{component="buildcache"}[4s]))',
        floor: 10,
        ...QUICK,
      },
      "main-metric",
    );

  it("let a release pass that fails nothing and keeps its main metric, by the numbers that the hosts have", async () => {
    assert.equal(await judge(errors(), [CANARY]), "0 % of 0.5 %");
    assert.match(await judge(hits(), [CANARY, OTHER]), /^-?\d+(\.\d+)? %, at least -30 %$/);
  });

  it("refuse a canary that fails 5 % of what it is asked, and not the hosts beside it", async () => {
    canary.rates = { ok: 47.5, failed: 2.5, hits: 100 };
    await prometheus.knows(`http_requests_total{code="500",instance="${CANARY}:${port}"}`);
    await assert.rejects(judge(errors(), [CANARY]), /^GateFailure: \d(\.\d+)? % above 0\.5 % for \d+ s/);
    assert.equal(await judge(errors(), [OTHER]), "0 % of 0.5 %");
  });

  it("refuse a release whose main metric is a third of last week's", async () => {
    canary.rates = { ok: 50, failed: 0, hits: 33 };
    other.rates = canary.rates;
    await prometheus.knows(`sum(rate(cache_hits_total{component="buildcache"}[4s])) < 100`);
    await assert.rejects(judge(hits(), [CANARY, OTHER]), /^GateFailure: -6\d(\.\d)? % below -30 % for \d+ s/);
  });

  it("wait where there is too little traffic, and say so when no verdict came of it", async () => {
    canary.rates = { ok: 0.2, failed: 0, hits: 0 };
    await prometheus.knows(
      `sum(rate(http_requests_total{instance="${CANARY}:${port}"}[4s])) < 1 and sum(rate(http_requests_total{instance="${CANARY}:${port}"}[4s])) > 0`,
    );
    const quiet = errors();
    await assert.rejects(
      judge({ ...quiet, gate: { ...quiet.gate, deadline: 4 } }, [CANARY]),
      /no verdict by its deadline; the last look: traffic 0\.\d+ below 1/,
    );
  });
});
