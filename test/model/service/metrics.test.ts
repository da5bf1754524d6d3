import assert from "node:assert/strict";
import { describe as text } from "../../../src/model/issues";
import { resolveMetrics, type Listening } from "../../../src/model/service/metrics";
import { checkMetrics } from "../../../src/model/service/metrics-check";

const HTTP: Listening = { sockets: { http: { listen: ":7070" } } };

describe("a service's metrics", () => {
  it("are those of Prometheus' Go client where nothing is said", () => {
    assert.equal(text(checkMetrics("metrics", {}, HTTP)), "");
    assert.deepEqual(resolveMetrics({}, HTTP), {
      endpoint: { address: "::", port: 7070 },
      path: "/metrics",
      scheme: "http",
      interval: 15,
      requests: {
        metric: "http_requests_total",
        errors: 'code=~"5.."',
        window: 120,
        floor: 1,
        errorRate: { above: 0.005, for: 300 },
        serverErrors: { above: 0.05, for: 120 },
        latency: undefined,
      },
      main: undefined,
      goroutines: undefined,
      schedulerLatency: undefined,
      labels: {},
      runbook: undefined,
    });
  });

  it("keep the defaults of what is said in part", () => {
    const { requests, main } = resolveMetrics(
      {
        errorRate: { above: 0.01 },
        latency: { above: "250 ms" },
        main: { query: "sum(rate(orders_total[5m]))", floor: 3 },
      },
      HTTP,
    );
    assert.deepEqual(requests?.errorRate, { above: 0.01, for: 300 });
    assert.deepEqual(requests?.latency, {
      metric: "http_request_duration_seconds",
      quantile: 0.99,
      above: 0.25,
      for: 300,
    });
    assert.deepEqual(main, {
      query: "sum(rate(orders_total[5m]))",
      drop: 0.3,
      against: 604_800,
      for: 300,
      floor: 3,
    });
  });

  it("are at the one address that is not for profiles, or at one of their own", () => {
    const both: Listening = { sockets: { pprof: { listen: "127.0.0.1:6060" } }, listen: ["127.0.0.1:9100"] };
    assert.deepEqual(resolveMetrics({}, both).endpoint, { address: "127.0.0.1", port: 9100 });
    assert.deepEqual(resolveMetrics({ listen: "[::1]:9200" }, both).endpoint, { address: "::1", port: 9200 });
  });

  const wrong: Record<string, [given: unknown, says: RegExp, service?: Listening]> = {
    "no address": [{}, /^metrics\.listen: missing.*":7070": the service is not said to listen on any$/, {}],
    "a unix socket alone": [{}, /^metrics\.listen: missing/, { sockets: { http: { listen: "/run/x.sock" } } }],
    "two addresses": [{}, /the service has 2$/, { listen: [":7070", ":7071"] }],
    "an address that is none": [{ listen: "7070" }, /^metrics\.listen: given "7070"/],
    "a path without a slash": [{ path: "metrics" }, /^metrics\.path: /],
    "no duration": [{ interval: "15" }, /^metrics\.interval: /],
    "a window that a scrape may miss": [{ window: "20 s" }, /^metrics\.window: given "20 s", wanted at least.*"30 s"/],
    "scrapes too seldom for the window": [{ interval: "2 min" }, /^metrics\.window: missing, wanted.*"240 s"/],
    "an expression for a name": [{ requests: "sum(x)" }, /^metrics\.requests: given "sum\(x\)"/],
    "matchers in braces": [{ errors: '{code=~"5.."}' }, /^metrics\.errors: .*without braces/],
    "matchers that end early": [{ errors: 'code="500"} or x{a="b"' }, /^metrics\.errors: /],
    "a share in percent": [
      { errorRate: { above: 5 } },
      /^metrics\.errorRate\.above: given 5, wanted a number from 0 to 1/,
    ],
    "a main metric without a floor": [{ main: { query: "x" } }, /^metrics\.main\.floor: missing/],
    "latency without a limit": [{ latency: {} }, /^metrics\.latency\.above: missing/],
    "a label that is taken": [
      { labels: { severity: "page" } },
      /^metrics\.labels\.severity: given "page", wanted another/,
    ],
    "a template in a label": [{ labels: { team: "{{ .x }}" } }, /^metrics\.labels\.team: .*without "\{\{"/],
    "a runbook that is no URL": [{ runbook: "see wiki" }, /^metrics\.runbook: /],
    "a floor without requests": [{ requests: false, floor: 1 }, /^metrics\.floor: .*where requests is false/],
    "a typo": [{ request: "x" }, /^metrics\.request: .*did you mean "requests"/],
    "something else": [7, /^metrics: given 7/],
  };
  for (const [name, [given, says, service = HTTP]] of Object.entries(wrong)) {
    it(`would catch ${name}`, () => assert.match(text(checkMetrics("metrics", given, service)), says));
  }

  it("take several matchers, with anything between their quotes", () => {
    const errors = String.raw`grpc_code=~"Internal|Unavailable", path!="/a,\"}b"`;
    assert.equal(text(checkMetrics("metrics", { errors }, HTTP)), "");
  });
});
