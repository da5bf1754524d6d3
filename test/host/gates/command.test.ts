import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { waitForApproval } from "../../../src/host/gates/approval";
import { REAL_CLOCK } from "../../../src/host/gates/clock";
import { runCommandGate } from "../../../src/host/gates/command";
import { GateStopped, type GateRun } from "../../../src/host/gates/gate-run";
import { checkApprovalGate, checkCommandGate } from "../../../src/model/gate-check";
import type { ApprovalGateArgs, CommandGateArgs } from "../../../src/model/gate-args";
import { gateRun, WAVE } from "./world";

/** Commands take real time. */
const realRun = (more: Partial<GateRun> = {}) => ({ ...gateRun(more), clock: REAL_CLOCK });

describe("gates on the operator's machine", () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "gofleet-gates-"))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const sh = (script: string): readonly string[] => ["sh", "-c", script, join(directory, "notes")];

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
      const run = realRun();
      await runCommandGate(gate(sh("echo testing /v1/orders; sleep 1.3"), { timeout: "30 s" }), run);
      assert.ok(
        run.said.some((line) => line === "testing /v1/orders, 30 s left"),
        run.said.join("\n"),
      );
    });

    it("fails where there is no such program", async () => {
      await assert.rejects(runCommandGate(gate(["./no-such-program"]), realRun()), /no-such-program.*ENOENT/);
    });

    it("is ended with its children when it takes too long", async () => {
      const script = 'sleep 60 & echo $! >"$0"; wait';
      await assert.rejects(runCommandGate(gate(sh(script), { timeout: "1 s" }), realRun()), /took longer than 1 s/);
      await pause(50);
      assert.ok(!runs(Number(readFileSync(join(directory, "notes"), "utf8"))), "the child has ended");
    });

    it("is ended at once when the gate is stopped", async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 200);
      const began = Date.now();
      const script = 'sleep 60 & echo $! >"$0"; wait';
      await assert.rejects(runCommandGate(gate(sh(script)), realRun({ signal: stop.signal })), GateStopped);
      assert.ok(Date.now() - began < 3000);
      assert.ok(!runs(Number(readFileSync(join(directory, "notes"), "utf8"))));
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

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A child that nobody has waited for yet is still in the list.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
