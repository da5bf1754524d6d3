import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { left, REAL_CLOCK } from "../../../src/host/gates/clock";
import { GateFailure, GateStopped } from "../../../src/host/gates/gate-run";
import { dueGates, judge, type JudgeOptions } from "../../../src/host/gates/judge";
import type { ApprovalGate, CommandGate, Gate, GateAfter } from "../../../src/model/gates";
import { until } from "../../support/until";
import { WAVE } from "./world";

const command = (name: string, script: string, after: GateAfter = "each"): CommandGate => ({
  kind: "command",
  name,
  after,
  command: ["sh", "-c", script],
  timeout: 3600,
});

describe("the gates of a wave", () => {
  let directory: string;
  let said: string[];
  let stop: AbortController;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "gofleet-gates-"));
    [said, stop] = [[], new AbortController()];
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const options = (): JudgeOptions => ({
    wave: WAVE,
    clock: REAL_CLOCK,
    signal: stop.signal,
    secrets: {},
    status: (text) => void said.push(text),
    info: (text) => void said.push(text),
  });
  const approval = (): ApprovalGate => ({
    kind: "approval",
    name: "release-manager",
    after: "each",
    by: { file: join(directory, "{release}") },
    deadline: 3600,
    interval: 1,
  });

  it("are due after the first wave, each, or the last", () => {
    const gates: Gate[] = [command("a", "", "canary"), command("b", "", "each"), command("c", "", "last")];
    const names = (wave: { first: boolean; last: boolean }) =>
      dueGates(gates, wave)
        .map(({ name }) => name)
        .join("");
    assert.equal(names({ first: true, last: false }), "ab");
    assert.equal(names({ first: false, last: false }), "b");
    assert.equal(names({ first: false, last: true }), "bc");
    assert.equal(names({ first: true, last: true }), "abc");
  });

  it("work side by side, and one that fails ends the others", async () => {
    const gates = [command("slow", "sleep 3600"), command("contract", "sleep 0.3; echo broken; exit 4")];
    await assert.rejects(judge(gates, options()), (error: Error) => {
      assert.ok(error instanceof GateFailure);
      assert.equal(error.message, "gate contract failed after wave 1 of 3 (rack-1, rack-2): sh ended with 4: broken");
      return true;
    });
    const both = /^gate slow: running, \d+ min left · gate contract: running, \d+ min left$/;
    assert.ok(
      said.some((line) => both.test(line)),
      said.join("\n"),
    );
  });

  it("ask a person only once all others have passed", async () => {
    const gates = [approval(), command("contract", `sleep 0.3; touch ${directory}/tested`)];
    const { status, ...others } = options();
    await judge(gates, {
      ...others,
      status: (text) => {
        status(text);
        if (!text.includes("waits for approval")) return;
        assert.ok(existsSync(join(directory, "tested")), "the contract test has ended");
        writeFileSync(join(directory, WAVE.to), "approve");
      },
    });
    assert.equal(said.at(-1), "gate release-manager: approved");
    await assert.rejects(judge([approval(), command("contract", "exit 1")], options()), /gate contract failed/);
  });

  it("have no verdict when they are stopped, and those that had passed stay passed", async () => {
    const judged = judge([command("slow", "sleep 3600"), command("quick", "true")], options());
    const stopped = assert.rejects(judged, (error: Error) => {
      assert.ok(error instanceof GateStopped);
      assert.equal(error.message, "not judged: slow");
      return true;
    });
    await until(() => said.some((line) => line.includes("gate quick: sh passed")));
    stop.abort();
    await stopped;
    await judge([], options());
  });

  describe("with an approval by URL", () => {
    let server: Server;
    let answers: [number, string][];
    beforeEach(async () => {
      server = createServer((request, response) => {
        assert.equal(request.url, `/${WAVE.to}`);
        assert.equal(request.headers.authorization, "Bearer t0ken");
        const [status, body] = answers.shift() ?? [500, "asked once more"];
        response.writeHead(status).end(body);
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });

    it("waits while there is nothing, or something else", async () => {
      answers = [
        [404, "approve"],
        [503, "approve"],
        [200, "pending"],
        [200, "approve"],
      ];
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/{release}`;
      const gate: ApprovalGate = { ...approval(), by: { url }, auth: { kind: "bearer" } };
      await judge([gate], { ...options(), secrets: { "release-manager": "t0ken" } });
      assert.deepEqual(answers, []);
      assert.ok(
        said.some((line) => line.includes("; status 503, ")),
        said.join("\n"),
      );
    });
  });

  it("count down in steps that a person can read", () => {
    assert.deepEqual([9000, 7199, 120, 119, 61, 9.2, 0.1, -1].map(left), [
      "3 h left",
      "120 min left",
      "2 min left",
      "120 s left",
      "70 s left",
      "10 s left",
      "1 s left",
      "0 s left",
    ]);
  });
});
