import { strict as assert } from "node:assert";
import {
  approvalGate,
  commandGate,
  errorRateGate,
  hostPool,
  httpGate,
  mainMetricGate,
  prometheusGate,
  serverErrorGate,
  ssh,
  type RolloutGate,
} from "../../src/index";
import { describe as spelled } from "../../src/model/issues";
import { mostUnavailable, waves } from "../../src/model/rollout";

type Loose = Record<string, unknown>;
const loose = (make: unknown) => make as (args: unknown) => RolloutGate;
const server = "https://prometheus.corp.example";
const url = "http://{address}:8080/readyz";
const file = { by: { file: "approvals/{release}" } };

const hosts = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`rack-${i + 1}`, ssh({ host: `10.0.0.${i + 1}` })]));
const pool = (rollout: Loose, count = 8) =>
  (hostPool as unknown as (args: unknown) => ReturnType<typeof hostPool>)({ hosts: hosts(count), rollout });
const issuesOf = (rollout: Loose, count?: number): string => spelled(pool(rollout, count).issues);

describe("a rollout", () => {
  it("has gates in the form of the state, with their defaults, and their credentials apart", () => {
    const { rollout, gateSecrets, issues } = pool({
      gates: [
        httpGate({ url, for: "2 min", status: [204, 200], body: /ok/, failures: 1 }),
        errorRateGate({ server: `${server}/`, requests: 'job="api"', bearerToken: "hunter2" }),
        serverErrorGate({ server, requests: 'job="api"', basicAuth: { username: "ci", password: "hunter2" } }),
        mainMetricGate({ server, query: "sum(rate(orders_total[5m]))", floor: 2 }),
        commandGate({ name: "contract", command: ["./contract-test"], after: "each" }),
        approvalGate({ ...file, deadline: "30 min" }),
      ],
    });
    assert.deepEqual(issues, []);
    assert.deepEqual(
      rollout.gates?.map(({ name, kind, after }) => `${name} ${kind} ${after}`),
      [
        "http http canary",
        "error-rate prometheus canary",
        "server-errors prometheus each",
        "main-metric prometheus last",
        "contract command each",
        "approval approval canary",
      ],
    );
    assert.deepEqual(rollout.gates?.[0], {
      kind: "http",
      name: "http",
      after: "canary",
      url,
      for: 120,
      interval: 5,
      timeout: 5,
      status: [200, 204],
      body: "ok",
      failures: 1,
    });
    assert.deepEqual(gateSecrets, { "error-rate": "hunter2", "server-errors": "hunter2" });
    assert.ok(!JSON.stringify(rollout).includes("hunter2"));
  });

  it("has the mission's defaults for its ready-made gates", () => {
    const of = ({ gate }: RolloutGate) => {
      assert.ok(gate.kind === "prometheus");
      const { threshold, bad, breach, for: time, against, traffic } = gate;
      return { threshold, bad, breach, for: time, against, floor: traffic?.floor, below: traffic?.below };
    };
    const requests = 'job="api"';
    const ratio = { bad: "above", breach: "sustained", against: undefined, floor: 1, below: "wait" };
    assert.deepEqual(of(errorRateGate({ server, requests })), { ...ratio, threshold: 0.005, for: 300 });
    assert.deepEqual(of(serverErrorGate({ server, requests })), { ...ratio, threshold: 0.05, for: 120 });
    assert.deepEqual(of(mainMetricGate({ server, query: "orders", floor: 2 })), {
      threshold: -0.3,
      bad: "below",
      breach: "sustained",
      for: 300,
      against: 604_800,
      floor: 2,
      below: "pass",
    });
  });

  it("says nothing of gates or of how many may be down where it has none", () => {
    assert.deepEqual(Object.keys(pool({}).rollout), ["canary", "batch", "parallel", "onFailure", "pause"]);
  });

  describe("where so many hosts may be down", () => {
    it("has batches of at most that many unless told otherwise", () => {
      assert.equal(pool({ maxUnavailable: 1 }).rollout.batch, 1);
      assert.equal(pool({ maxUnavailable: 2 }).rollout.batch, "25 %");
      assert.equal(pool({ maxUnavailable: "25 %" }, 9).rollout.batch, "25 %");
      assert.equal(pool({ maxUnavailable: "13 %" }).rollout.batch, 1);
    });

    for (const [title, rollout, count, wanted] of [
      [
        "a larger batch",
        { maxUnavailable: 2, batch: 3 },
        8,
        /^rollout\.batch: given 3, wanted at most 2 of the 8 hosts, as/,
      ],
      ["more canaries", { maxUnavailable: 1, canary: 2 }, 8, /^rollout\.canary: given 2, wanted at most 1/],
      ["named canaries", { maxUnavailable: 1, canary: ["rack-1", "rack-2"] }, 8, /^rollout\.canary: .*this is 2$/],
      [
        "none",
        { maxUnavailable: 0 },
        8,
        /^rollout\.maxUnavailable: given 0, wanted a whole number of hosts, at least 1/,
      ],
    ] as const) {
      it(`refuses ${title}`, () => assert.match(issuesOf(rollout, count), wanted));
    }

    it("takes a share of so many hosts, whatever rounding makes of it", () => {
      const sizes = Array.from({ length: 12 }, (_, i) => {
        const { rollout, issues } = pool({ canary: 1, batch: "25 %", maxUnavailable: "25 %" }, i + 1);
        assert.deepEqual(issues, [], `a pool of ${i + 1}`);
        const keys = Object.keys(hosts(i + 1));
        const sizes = waves(keys, rollout).map(({ length }) => length);
        assert.ok(Math.max(...sizes) <= mostUnavailable(rollout, keys.length), `a pool of ${i + 1}`);
        return sizes.join(" ");
      });
      assert.deepEqual(sizes, [
        "1",
        "1 1",
        "1 1 1",
        "1 1 1 1",
        "1 1 1 1 1",
        "1 1 1 1 1 1",
        "1 1 1 1 1 1 1",
        "1 2 2 2 1",
        "1 2 2 2 2",
        "1 2 2 2 2 1",
        "1 2 2 2 2 2",
        "1 3 3 3 2",
      ]);
    });

    it("takes larger shares as far as may be", () => {
      const { canary, batch } = pool({ canary: "50 %", batch: "50 %", maxUnavailable: 2 }).rollout;
      assert.deepEqual([canary, batch], [2, 2]);
    });

    it("takes what fits", () => {
      assert.equal(issuesOf({ maxUnavailable: 2, batch: 2, canary: 2 }), "");
      assert.equal(issuesOf({ maxUnavailable: 2, batch: "100 %", canary: 1 }, 3), "");
    });
  });

  describe("refuses, with the path of the argument", () => {
    const WRONG: readonly [string, unknown, RegExp][] = [
      ["no list", httpGate({ url }), /^rollout\.gates: given .* wanted a list of gates/],
      ["no gate", [{ url }], /^rollout\.gates\[0\]: given \{"url".*wanted a gate: httpGate/],
      [
        "two of one name",
        [httpGate({ url }), httpGate({ url })],
        /^rollout\.gates\[1\]\.name: given "http", wanted a name of its own/,
      ],
      ["a gate without arguments", [loose(httpGate)(undefined)], /^rollout\.gates\[0\]: missing/],
      [
        "a name",
        [httpGate({ url, name: "My Gate" })],
        /^rollout\.gates\[0\]\.name: given "My Gate", wanted a name of a-z/,
      ],
      [
        "a time to be asked",
        [loose(httpGate)({ url, after: "batch" })],
        /\[0\]\.after: given "batch", wanted one of "canary", "each", "last"/,
      ],
      [
        "a URL without a scheme",
        [httpGate({ url: "{address}:8080/readyz" })],
        /\[0\]\.url: given "\{address\}:8080\/readyz", wanted an http or https URL/,
      ],
      [
        "a URL with a password",
        [httpGate({ url: "http://u:hunter2@h/" })],
        /\[0\]\.url: given a URL with credentials \(not shown\)/,
      ],
      [
        "an unknown placeholder",
        [httpGate({ url: "http://{hostname}/" })],
        /\[0\]\.url: given "http:\/\/\{hostname\}\/", wanted no placeholder but \{host\}, \{address\}/,
      ],
      ["a status", [httpGate({ url, status: 99 })], /\[0\]\.status: given 99, wanted an HTTP status from 100 to 599/],
      ["a pattern", [httpGate({ url, body: "(" })], /\[0\]\.body: given "\(", wanted a regular expression/],
      ["a pattern's flags", [httpGate({ url, body: /ok/i })], /\[0\]\.body: .*without flags/],
      [
        "milliseconds",
        [httpGate({ url, interval: "500 ms" })],
        /\[0\]\.interval: given "500 ms", wanted whole seconds/,
      ],
      [
        "an interval longer than the time",
        [httpGate({ url, for: "10 s", interval: "20 s" })],
        /\[0\]\.interval: .*no longer than for/,
      ],
      ["a key misspelt", [loose(httpGate)({ url, failure: 1 })], /\[0\]\.failure: .*did you mean "failures"/],
      [
        "a token of two lines",
        [httpGate({ url, bearerToken: "hunter2\nx" })],
        /\[0\]\.bearerToken: given a text \(not shown\), wanted one line/,
      ],
      [
        "two kinds of credentials",
        [httpGate({ url, bearerToken: "hunter2", basicAuth: { username: "u", password: "hunter2" } })],
        /\[0\]\.basicAuth: given also bearerToken, wanted one of/,
      ],
      [
        "no threshold",
        [prometheusGate({ server, query: "up" })],
        /\[0\]\.above: missing, wanted one of above and below/,
      ],
      [
        "two thresholds",
        [prometheusGate({ server, query: "up", above: 1, below: 0 })],
        /\[0\]\.above: given also below/,
      ],
      [
        "a short deadline",
        [prometheusGate({ server, query: "up", above: 1, deadline: "1 min" })],
        /\[0\]\.deadline: .*at least as long as for/,
      ],
      ["no query", [loose(prometheusGate)({ server, above: 1 })], /\[0\]\.query: missing, wanted a PromQL expression/],
      [
        "a floor that is no number",
        [loose(errorRateGate)({ server, requests: "a", floor: "1/s" })],
        /\[0\]\.floor: given "1\/s", wanted a number/,
      ],
      [
        "a ratio as a percentage",
        [errorRateGate({ server, requests: 'a="b"', above: 5 })],
        /\[0\]\.above: given 5, wanted a number from 0 to 1/,
      ],
      [
        "what a ready-made gate sets",
        [loose(errorRateGate)({ server, requests: 'a="b"', breach: "any" })],
        /\[0\]\.breach: given "any", wanted no such key; error-rate sets it itself/,
      ],
      [
        "a ready-made gate's key misspelt",
        [loose(mainMetricGate)({ server, query: "x", floor: 1, drops: 0.3 })],
        /\[0\]\.drops: .*no such key/,
      ],
      [
        "another ready-made gate's key",
        [loose(errorRateGate)({ server, requests: 'a="b"', drop: 0.3 })],
        /\[0\]\.drop: given 0\.3, wanted no such key/,
      ],
      [
        "no token",
        [loose(mainMetricGate)({ server, query: "x", floor: 1, bearerToken: {} })],
        /\[0\]\.bearerToken: given object, wanted one line of text/,
      ],
      [
        "a command as text",
        [loose(commandGate)({ command: "rm -rf /" })],
        /\[0\]\.command: given "rm -rf \/", wanted program and arguments/,
      ],
      [
        "an approval of every release",
        [approvalGate({ by: { file: "approved" } })],
        /\[0\]\.by\.file: given "approved", wanted a path with \{release\} in it/,
      ],
      [
        "an approval's URL of every release",
        [approvalGate({ by: { url: "https://a.example/" } })],
        /\[0\]\.by\.url: .*\{release\}/,
      ],
      [
        "an approval of two kinds",
        [loose(approvalGate)({ by: { file: "{release}", command: ["x"] } })],
        /\[0\]\.by: .*exactly one of file, url and command/,
      ],
    ];
    for (const [title, gates, wanted] of WRONG) {
      it(title, () => {
        const said = issuesOf({ gates });
        assert.match(said, wanted);
        assert.ok(!said.includes("hunter2"), said);
      });
    }
  });
});
