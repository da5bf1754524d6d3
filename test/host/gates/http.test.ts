import { strict as assert } from "node:assert";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GateFailure, GateStopped } from "../../../src/host/gates/gate-run";
import { watchHttp } from "../../../src/host/gates/http";
import { checkHttpGate } from "../../../src/model/gate-check";
import type { HttpGateArgs } from "../../../src/model/gate-args";
import { gateRun } from "./world";

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly location?: string;
  readonly never?: true;
}

describe("an HTTP gate", () => {
  let server: Server;
  let answer: (request: IncomingMessage, number: number) => Answer;
  let asked: string[];
  let headers: IncomingMessage["headers"][];
  beforeEach(async () => {
    [asked, headers] = [[], []];
    answer = () => ({ status: 200, body: "ok" });
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      headers.push(request.headers);
      const { status, body = "", location, never } = answer(request, asked.length);
      if (never) return;
      response.writeHead(status, location === undefined ? {} : { location }).end(body);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gate = (more: Partial<HttpGateArgs> = {}) => {
    const checked = checkHttpGate({ url: `${base()}/ready`, for: "1 min", interval: "20 s", ...more });
    assert.deepEqual(checked.issues, []);
    return checked.gate;
  };

  it("passes when every answer was good over the time, and says how it goes", async () => {
    const run = gateRun();
    assert.equal(await watchHttp(gate(), run), "4 answers good");
    assert.deepEqual(asked, Array(4).fill("/ready"));
    assert.equal(run.clock.now(), 60_000);
    assert.deepEqual(run.said, [
      "1 answer, 0 bad, 60 s left",
      "2 answers, 0 bad, 40 s left",
      "3 answers, 0 bad, 20 s left",
    ]);
  });

  it("asks for each host of the wave where the URL is a host's own", async () => {
    await watchHttp(gate({ url: `${base()}/{host}?at={address}`, for: "20 s" }), gateRun());
    assert.deepEqual(asked.sort(), [
      "/rack-1?at=10.0.0.1",
      "/rack-1?at=10.0.0.1",
      "/rack-2?at=[fd00::2]",
      "/rack-2?at=[fd00::2]",
    ]);
  });

  it("fails at the first bad answer, naming the host and what it said", async () => {
    answer = ({ url }, number) =>
      url === "/rack-2" && number > 2 ? { status: 503, body: "no\ndatabase" } : { status: 204 };
    await assert.rejects(watchHttp(gate({ url: `${base()}/{host}` }), gateRun()), (error: Error) => {
      assert.ok(error instanceof GateFailure);
      assert.equal(error.message, "rack-2: 1 bad of 4 answers in all, none may be; the last: status 503: no database");
      return true;
    });
  });

  it("bears as many bad answers as it is told to, of each host", async () => {
    answer = (_request, number) => ({ status: number % 2 === 0 ? 500 : 200 });
    const run = gateRun();
    assert.equal(await watchHttp(gate({ failures: 2 }), run), "4 answers good");
    assert.match(run.said[1] ?? "", /^2 answers, 1 bad \(127\.0\.0\.1:\d+: status 500: no body\), 40 s left$/);
    await assert.rejects(watchHttp(gate({ failures: 1 }), gateRun()), /2 bad of 4 answers in all, 1 may be/);
  });

  it("takes the statuses and the body it is told to", async () => {
    answer = () => ({ status: 401, body: '{"status":"ok"}' });
    await watchHttp(gate({ status: [401, 403], body: /"status":"ok"/ }), gateRun());
    await assert.rejects(watchHttp(gate({ status: 200 }), gateRun()), /status 401: \{"status":"ok"\}/);
    await assert.rejects(
      watchHttp(gate({ status: 401, body: "degraded" }), gateRun()),
      /the body does not match \/degraded\/: \{"status":"ok"\}/,
    );
  });

  it("follows no redirect", async () => {
    answer = () => ({ status: 302, location: `${base()}/elsewhere` });
    await assert.rejects(watchHttp(gate(), gateRun()), /status 302/);
    assert.deepEqual(asked, ["/ready"]);
  });

  it("shows little of a long body", async () => {
    answer = () => ({ status: 500, body: "x".repeat(1_000_000) });
    await assert.rejects(watchHttp(gate(), gateRun()), ({ message }: Error) => message.length < 300);
  });

  it("fails for no answer in time, and where nobody listens", async () => {
    answer = () => ({ status: 200, never: true });
    await assert.rejects(watchHttp(gate({ timeout: "1 s" }), gateRun()), /the last: no answer within 1 s/);
    const nowhere = gate();
    await new Promise((done) => {
      server.closeAllConnections();
      server.close(done);
    });
    await assert.rejects(watchHttp(nowhere, gateRun()), /ECONNREFUSED/);
    server.listen(0);
  });

  it("sends its token", async () => {
    await watchHttp(gate({ bearerToken: "t0ken", for: "20 s" }), gateRun({ secret: "t0ken" }));
    assert.equal(headers[0]?.authorization, "Bearer t0ken");
  });

  it("shows nothing of a credential that a server repeats, with spaces and in JSON", async () => {
    const secret = 'first "second" third';
    answer = ({ headers: { authorization = "" } }) => ({
      status: 403,
      body: `${JSON.stringify({ got: authorization.replace(/^Bearer /, "") })} ${authorization}`,
    });
    await assert.rejects(watchHttp(gate({ bearerToken: secret }), gateRun({ secret })), ({ message }: Error) => {
      assert.match(message, /status 403: \{"got":"\(secret\)"\} Bearer \(secret\)$/);
      assert.doesNotMatch(message, /first|second|third/);
      return true;
    });
  });

  it("ends at once when it is stopped, even while it waits for an answer", async () => {
    const stop = new AbortController();
    answer = () => {
      setImmediate(() => stop.abort());
      return { status: 200, never: true };
    };
    // Nobody answers within the time that a test has.
    await assert.rejects(watchHttp(gate({ timeout: "1 h" }), gateRun({ signal: stop.signal })), GateStopped);
  });
});
