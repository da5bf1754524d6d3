import { strict as assert } from "node:assert";
import { GateFailure, GateStopped } from "../../../src/host/gates/gate-run";
import { watchPrometheus } from "../../../src/host/gates/prometheus";
import { withHosts } from "../../../src/host/gates/prometheus-api";
import { checkPrometheusGate } from "../../../src/model/gate-check";
import { checkErrorRatioGate, checkMainMetricGate } from "../../../src/model/gate-presets";
import type { PrometheusGateArgs, RequestGateArgs } from "../../../src/model/gate-args";
import type { PrometheusGate } from "../../../src/model/gates";
import { FakePrometheus } from "../../support/prometheus";
import { gateRun } from "./world";

const HALF_PERCENT = { above: 0.005, for: "5 min", after: "canary" } as const;

describe("a Prometheus gate", () => {
  let server: FakePrometheus;
  beforeEach(async () => {
    server = new FakePrometheus();
    await server.start();
  });
  afterEach(() => server.stop());

  const gateOf = ({ gate, issues }: ReturnType<typeof checkPrometheusGate>): PrometheusGate => {
    assert.deepEqual(issues, []);
    return gate;
  };
  const gate = (more: Partial<PrometheusGateArgs> = {}) =>
    gateOf(checkPrometheusGate({ server: server.url, query: "up_ratio", above: 10, interval: "1 min", ...more }));
  const errors = (more: Partial<RequestGateArgs> = {}) =>
    gateOf(
      checkErrorRatioGate(
        { server: server.url, requests: 'job="api"', interval: "1 min", ...more },
        "error-rate",
        HALF_PERCENT,
      ),
    );
  /** The ratio and the traffic, by minute. */
  const answer = (ratio: (minute: number) => number, traffic: (minute: number) => number = () => 100) => {
    let minute = -1;
    server.answer = ({ query }) => {
      if (!query.includes("/")) minute += 1;
      return query.includes("/") ? ratio(minute) : traffic(minute);
    };
  };

  it("passes when the value was good over the time, and shows value, limit and what is left", async () => {
    server.answer = () => 4.256;
    const run = gateRun();
    assert.equal(await watchPrometheus(gate(), run), "4.26 of 10");
    assert.equal(run.clock.now(), 300_000);
    assert.equal(server.asked.length, 6);
    assert.equal(run.said[0], "4.26 of 10, 5 min left");
    assert.equal(run.said.at(-1), "4.26 of 10, 60 s left");
  });

  it("fails at the first bad value, with the last ones", async () => {
    server.answer = (_asked, number) => (number < 3 ? number : 12.5);
    const run = gateRun();
    await assert.rejects(watchPrometheus(gate(), run), (error: Error) => {
      assert.ok(error instanceof GateFailure);
      assert.equal(error.message, "12.5 above 10; the last values: 1 of 10 · 2 of 10 · 12.5 above 10");
      return true;
    });
    assert.equal(run.clock.now(), 120_000);
  });

  it("has a bad side below as well", async () => {
    server.answer = () => 3;
    await assert.rejects(watchPrometheus(gate({ above: undefined, below: 5 }), gateRun()), /3 below 5/);
    server.answer = () => 5;
    assert.equal(await watchPrometheus(gate({ above: undefined, below: 5 }), gateRun()), "5, at least 5");
  });

  describe("for error rates", () => {
    it("asks for a ratio of sums that is a number without any error, and for the traffic", async () => {
      answer(() => 0);
      await watchPrometheus(errors({ requests: 'job="api",instance=~"({addresses}):80"' }), gateRun());
      const [traffic, ratio] = server.asked.map(({ query }) => query);
      const all = `sum(rate(http_requests_total{job="api",instance=~"(10\\\\.0\\\\.0\\\\.1|fd00::2):80"}[120s]))`;
      assert.equal(traffic, `${all} or vector(0)`);
      assert.equal(ratio, `(${all.replace('"}[', '",code=~"5.."}[')} or vector(0)) / ${all}`.replace("(sum", "(sum"));
    });

    it("stop a canary at more than 0.5 % for 5 minutes", async () => {
      answer(() => 0.019);
      const run = gateRun();
      await assert.rejects(
        watchPrometheus(errors(), run),
        /^GateFailure: 1\.9 % above 0\.5 % for 5 min; the last values: 1\.9 % above/,
      );
      assert.equal(run.clock.now(), 300_000);
    });

    it("let a spike of a few minutes pass", async () => {
      answer((minute) => (minute < 4 ? 0.2 : 0.001));
      const run = gateRun();
      assert.equal(await watchPrometheus(errors(), run), "0.1 % of 0.5 %");
      assert.ok(
        run.said.some((line) => line === "20 % above 0.5 %, fails in 3 min"),
        run.said.join("\n"),
      );
    });

    it("do not add up bad times that were apart", async () => {
      answer((minute) => (minute === 4 || minute === 9 ? 0 : 0.02));
      const run = gateRun();
      await watchPrometheus(errors(), run);
      assert.equal(run.clock.now(), 9 * 60_000);
    });

    it("see a bad time that began late to its end", async () => {
      answer((minute) => (minute < 3 ? 0 : 0.02));
      const bad = gateRun();
      await assert.rejects(watchPrometheus(errors(), bad), /2 % above 0\.5 % for 5 min/);
      assert.equal(bad.clock.now(), 8 * 60_000);
      answer((minute) => (minute >= 3 && minute < 7 ? 0.02 : 0));
      const good = gateRun();
      await watchPrometheus(errors(), good);
      assert.equal(good.clock.now(), 7 * 60_000);
    });

    it("stand still while there is too little traffic, and fail at the deadline", async () => {
      answer(
        () => 0,
        (minute) => (minute < 10 ? 0.2 : 50),
      );
      const run = gateRun();
      await watchPrometheus(errors(), run);
      assert.equal(run.clock.now(), 15 * 60_000);
      assert.match(run.said[0] ?? "", /^traffic 0\.2 below 1, waiting, 30 min left to the deadline$/);
      answer(
        () => 0.5,
        () => 0,
      );
      await assert.rejects(
        watchPrometheus(errors(), gateRun()),
        /no verdict by its deadline; the last look: traffic 0 below 1/,
      );
    });

    it("pass or fail for lack of traffic where told so", async () => {
      answer(
        () => 0.5,
        () => 0,
      );
      assert.equal(await watchPrometheus(errors({ belowFloor: "pass" }), gateRun()), "traffic 0 below 1");
      await assert.rejects(watchPrometheus(errors({ belowFloor: "fail" }), gateRun()), /traffic 0 below 1 for 5 min/);
    });
  });

  describe("for the main metric", () => {
    const WEEK = 7 * 24 * 3600;
    const main = (more = {}) => {
      const args = {
        server: server.url,
        query: "sum(rate(orders[5m]))",
        floor: 2,
        interval: "1 min",
        ...more,
      } as const;
      return gateOf(checkMainMetricGate(args, "main-metric"));
    };

    it("fails at 30 % less than at the same time last week", async () => {
      server.answer = ({ time }) => (time === undefined ? 6.9 : 10);
      const run = gateRun();
      await assert.rejects(watchPrometheus(main(), run), /-31 % below -30 % for 5 min/);
      const times = server.asked.filter(({ time }) => time !== undefined).map(({ time = 0 }) => time);
      assert.equal(times[0], run.clock.epoch() - 300 - WEEK);
      server.answer = ({ time }) => (time === undefined ? 7.1 : 10);
      assert.equal(await watchPrometheus(main(), gateRun()), "-29 %, at least -30 %");
    });

    it("says nothing where last week had too little, but does not let an outage hide itself", async () => {
      server.answer = ({ time }) => (time === undefined ? 0 : 1.5);
      assert.equal(await watchPrometheus(main(), gateRun()), "traffic 1.5 below 2");
      server.answer = ({ time }) => (time === undefined ? 0 : 10);
      await assert.rejects(watchPrometheus(main(), gateRun()), /-100 % below -30 %/);
    });
  });

  describe("without a value", () => {
    for (const [title, reply, says] of [
      ["no sample", [], /no value, 3 times in a row: the query gives no sample/],
      ["several samples", [1, 2], /the query gives 2 samples, not one: put a sum\(\) around it/],
      ["NaN", Number.NaN, /the query gives NaN/],
      ["an error", '400 {"status":"error","error":"parse error at char 3"}', /answered 400: parse error at char 3/],
      ["a proxy's page", "502 <html>Bad\nGateway</html>", /answered 502: <html>Bad Gateway<\/html>/],
      [
        "a matrix",
        '200 {"status":"success","data":{"resultType":"matrix","result":[]}}',
        /gives a matrix, not one value/,
      ],
    ] as const) {
      it(`fails after 3 in a row: ${title}`, async () => {
        server.answer = () => reply;
        await assert.rejects(watchPrometheus(gate(), gateRun()), says);
        assert.equal(server.asked.length, 3);
      });
    }

    it("goes on where the value comes back, and does not count the gap", async () => {
      server.answer = (_asked, number) => (number === 2 || number === 3 ? "503 busy" : 1);
      const run = gateRun();
      await watchPrometheus(gate(), run);
      assert.equal(run.clock.now(), 8 * 60_000);
    });

    it("takes infinity for a value, as one failing of none divides to", async () => {
      server.answer = () => '200 {"status":"success","data":{"resultType":"scalar","result":[0,"+Inf"]}}';
      await assert.rejects(watchPrometheus(gate(), gateRun()), /Infinity above 10/);
    });

    it("fails where nobody listens", async () => {
      const nowhere = gate();
      await server.stop();
      await assert.rejects(watchPrometheus(nowhere, gateRun()), /127\.0\.0\.1:\d+: .*ECONNREFUSED/);
      await server.start();
    });
  });

  it("logs in, and shows its credentials to nobody, not even where the server repeats them", async () => {
    server.answer = ({ authorization = "" }) => `401 ${authorization} hunter2hunter2 ${"x".repeat(270)} hunter2hunter2`;
    for (const [auth, sent] of [
      [{ bearerToken: "hunter2hunter2" }, "Bearer hunter2hunter2"],
      [{ basicAuth: { username: "ci", password: "hunter2hunter2" } }, `Basic ${btoa("ci:hunter2hunter2")}`],
    ] as const) {
      const run = gateRun({ secret: "hunter2hunter2" });
      await assert.rejects(watchPrometheus(gate(auth), run), (error: Error) => {
        assert.ok(!`${error.message}${run.said.join()}`.includes("hunter"), error.message);
        assert.ok(!error.message.includes(btoa("ci:h").slice(0, 5)), error.message);
        return true;
      });
      assert.equal(server.asked.at(-1)?.authorization, sent);
    }
    const twoLines = gateRun({ secret: "hunter2\nx" });
    await assert.rejects(
      watchPrometheus(gate({ bearerToken: "x" }), twoLines),
      /^GateFailure: its credential is not one line/,
    );
  });

  it("ends at once, without a verdict, when it is stopped", async () => {
    const stop = new AbortController();
    const run = gateRun({ signal: stop.signal });
    server.answer = () => {
      stop.abort();
      return 100;
    };
    await assert.rejects(watchPrometheus(gate(), run), GateStopped);
  });

  it("puts hosts into a query as text, whatever they hold", () => {
    const hosts = [
      { key: "rack.1", address: "a+b" },
      { key: "rack-2", address: "c" },
    ];
    assert.equal(
      withHosts('x{h=~"({hosts})"} + y{a=~"{addresses}"}', hosts),
      'x{h=~"(rack\\\\.1|rack-2)"} + y{a=~"a\\\\+b|c"}',
    );
  });
});
