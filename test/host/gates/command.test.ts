import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitForApproval } from "../../../src/host/gates/approval";
import { REAL_CLOCK } from "../../../src/host/gates/clock";
import { runCommandGate } from "../../../src/host/gates/command";
import { GateStopped, type GateRun } from "../../../src/host/gates/gate-run";
import { checkApprovalGate, checkCommandGate } from "../../../src/model/gate-check";
import type { ApprovalGateArgs, CommandGateArgs } from "../../../src/model/gate-args";
import { runs } from "../../support/processes";
import { until } from "../../support/until";
import { gateRun, WAVE } from "./world";

/** Commands take real time. */
const realRun = (more: Partial<GateRun> = {}) => ({ ...gateRun(more), clock: REAL_CLOCK });

describe("gates on the operator's machine", () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "gofleet-gates-"))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const sh = (script: string): readonly string[] => ["sh", "-c", script, join(directory, "notes")];
  /** A command with a child that outlives any test, and notes its number. */
  const PARENT = 'sleep 3600 & echo $! >"$0"; wait';
  /** The same in a session of its own, with the command's output. */
  const BEHIND = 'setsid sh -c \'echo $$ >"$0"; exec sleep 3600\' "$0" & until [ -s "$0" ]; do sleep 0.05; done';
  const child = (): number =>
    existsSync(join(directory, "notes")) ? Number(readFileSync(join(directory, "notes"), "utf8")) : 0;

  describe("a command", () => {
    const gate = (command: readonly string[], more: Partial<CommandGateArgs> = {}) => {
      const checked = checkCommandGate({ name: "contract", command, ...more });
      assert.deepEqual(checked.issues, []);
      return checked.gate;
    };

    it("is told about the wave, and passes with 0", async () => {
      await runCommandGate(gate(sh('env | grep ^GOFLEET_ | sort >"$0"')), realRun());
      const told = readFileSync(join(directory, "notes"), "utf8").trim().split("\n");
      for (const line of [
        "GOFLEET_GATE=contract",
        "GOFLEET_COMPONENT=buildcache",
        `GOFLEET_FROM=${WAVE.from}`,
        `GOFLEET_TO=${WAVE.to}`,
        "GOFLEET_WAVE=1",
        "GOFLEET_WAVES=3",
        "GOFLEET_HOSTS=rack-1 rack-2",
        "GOFLEET_ADDRESSES=10.0.0.1 fd00::2",
      ]) {
        assert.ok(told.includes(line), line);
      }
    });

    it("fails with its code and the end of what it printed, in one bounded line", async () => {
      const script = "yes noise | head -n 5000; echo; echo 3 of 40 contracts are broken >&2; exit 3";
      await assert.rejects(runCommandGate(gate(sh(script)), realRun()), ({ message }: Error) => {
        assert.match(message, /^sh ended with 3: .*3 of 40 contracts are broken$/);
        assert.ok(message.length < 400, `${message.length}`);
        return true;
      });
    });

    it("shows its last line while it runs", async () => {
      const script = 'echo testing /v1/orders; until [ -e "$0" ]; do sleep 0.05; done';
      const status = (text: string): void => {
        if (/^testing \/v1\/orders, \d+ min left$/.test(text)) writeFileSync(join(directory, "notes"), "");
      };
      await runCommandGate(gate(sh(script), { timeout: "10 min" }), { ...realRun(), status });
    });

    it("fails where there is no such program", async () => {
      await assert.rejects(runCommandGate(gate(["./no-such-program"]), realRun()), /no-such-program.*ENOENT/);
    });

    it("is ended with its children when it takes too long", async () => {
      // Its time passes once there is a child, and then with every look.
      let time = 0;
      const clock = { ...REAL_CLOCK, now: () => (child() === 0 ? time : (time += 10_000)) };
      const late = runCommandGate(gate(sh(PARENT), { timeout: "2 s" }), { ...realRun(), clock });
      await assert.rejects(late, /took longer than 2 s/);
      await until(() => !runs(child()));
    });

    it("passes though it leaves a process with its output behind, as ssh does with a shared connection", async () => {
      // Only where nobody waits for that process does this end at all.
      await runCommandGate(gate(sh(`${BEHIND}; exit 0`), { timeout: "1 h" }), realRun());
      assert.ok(runs(child()));
      process.kill(child());
    });

    it("is ended when the gate is stopped, whatever has left its group", async () => {
      const stop = new AbortController();
      const run = realRun({ signal: stop.signal });
      const stopped = assert.rejects(runCommandGate(gate(sh(`${BEHIND}; sleep 3600`)), run), GateStopped);
      await until(() => child() !== 0);
      stop.abort();
      await stopped;
      process.kill(child());
    });

    it("is ended at once when the gate is stopped", async () => {
      const stop = new AbortController();
      const stopped = assert.rejects(runCommandGate(gate(sh(PARENT)), realRun({ signal: stop.signal })), GateStopped);
      await until(() => child() !== 0);
      stop.abort();
      await stopped;
      await until(() => !runs(child()));
    });
  });

  describe("an approval", () => {
    const gate = (by: ApprovalGateArgs["by"], more: Partial<ApprovalGateArgs> = {}) => {
      const checked = checkApprovalGate({ by, deadline: "10 min", interval: "1 min", ...more });
      assert.deepEqual(checked.issues, []);
      return checked.gate;
    };
    const byFile = () => gate({ file: join(directory, "{release}-{wave}") });
    const file = () => join(directory, `${WAVE.to}-1`);

    it("says how to approve, and passes once a file says so", async () => {
      const run = gateRun();
      const status = (text: string): void => {
        run.said.push(text);
        if (text.endsWith("7 min left")) writeFileSync(file(), "Approved, by Anna\n");
      };
      assert.equal(await waitForApproval(byFile(), { ...run, status }), "approved");
      assert.equal(run.said[0], `gate approval waits for approval: echo approve > ${file()}`);
      assert.equal(run.said[1], `waits for approval (echo approve > ${file()}), 10 min left`);
      assert.equal(run.clock.now(), 240_000);
    });

    it("fails when a file rejects, with the reason", async () => {
      writeFileSync(file(), "reject: prices are wrong\n");
      await assert.rejects(waitForApproval(byFile(), gateRun()), /^GateFailure: rejected: prices are wrong$/);
    });

    it("takes no other word, nor the approval of another release, and fails at the deadline", async () => {
      writeFileSync(file(), "approver: anna\n");
      writeFileSync(join(directory, `${WAVE.from}-1`), "approve\n");
      const run = gateRun();
      await assert.rejects(waitForApproval(byFile(), run), /nobody approved by the deadline; echo approve > /);
      assert.equal(run.clock.now(), 600_000);
    });

    it("asks a command: 0 approves, 1 is not yet, all others reject", async () => {
      const count = sh('echo x >>"$0"; [ "$(wc -l <"$0")" -ge 3 ]');
      assert.equal(await waitForApproval(gate({ command: count }, { interval: "1 s" }), realRun()), "approved");
      const no = gate({ command: sh("echo frozen until Monday; exit 2") });
      await assert.rejects(waitForApproval(no, realRun()), /rejected: frozen until Monday/);
      assert.ok(existsSync(join(directory, "notes")));
    });
  });
});
