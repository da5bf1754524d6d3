import assert from "node:assert/strict";
import { hostError } from "../../src/host/errors";
import { noticeText, type AgentEvent, type AgentResult } from "../../src/host/agent-output";

const error = (rc: number, msg: string, events: readonly AgentEvent[] = []): string => {
  const result: AgentResult = {
    status: "failed",
    rc,
    tx: "",
    from: "",
    to: "",
    current: "",
    instance: "",
    machine: "",
    msg,
  };
  return hostError("rack-01", "10.0.0.1", result, events).message;
};

describe("hostError", () => {
  it("names the setting for unsupported hosts only where that setting would do", () => {
    const wanted = /set `unsupported: "allow"`/;
    assert.match(error(14, "fedora 40 is not supported; wanted: Debian 12 or 13, Ubuntu 22.04 or 24.04"), wanted);
    assert.match(
      error(14, "SELinux is enforcing and the agent sets no labels; wanted: permissive or disabled"),
      wanted,
    );
    for (const other of [
      "architecture riscv64 is not supported; wanted: amd64 or arm64",
      "missing: awk (install mawk)",
      "packages nginx could not be installed: E: Unable to locate package nginx; to do: correct the name",
      "port 0.0.0.0:443, for a.service of go, is held at *:443 by caddy (pid 5) of caddy.service; stop it",
    ]) {
      assert.equal(error(14, other), `rack-01 (10.0.0.1): refused, nothing changed: ${other}`);
    }
  });

  it("shows a summary of what is known, and not its parts again", () => {
    const events: AgentEvent[] = [
      { ev: "probe", name: "ready", ok: false, out: "raw" },
      { ev: "evidence", msg: "probe ready: exit code 7" },
      { ev: "summary", msg: "cause     hang: api.service\nevidence  /var/lib/gofleet/api/runs/x/evidence" },
    ];
    assert.equal(
      error(21, "probe ready failed", events),
      "rack-01 (10.0.0.1): release  failed, taken off again: probe ready failed\n" +
        "  cause     hang: api.service\n  evidence  /var/lib/gofleet/api/runs/x/evidence",
    );
  });
});

describe("what a host did by itself", () => {
  it("is told with when and why; what happens now is not", () => {
    const decision = { ev: "decision", time: "2026-03-01T10:15:00Z", from: "b", to: "a", msg: "hang" };
    assert.equal(noticeText(decision), "went back by itself at 2026-03-01T10:15:00Z, from b to a: hang");
    const finding = { ev: "finding", time: "2026-03-01T10:15:00Z", kind: "trip", msg: "broken; it is not taken back" };
    assert.equal(noticeText(finding), "2026-03-01T10:15:00Z: broken; it is not taken back");
    assert.equal(noticeText({ ev: "switched" }), undefined);
  });
});
