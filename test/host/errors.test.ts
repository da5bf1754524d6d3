import assert from "node:assert/strict";
import { hostError } from "../../src/host/errors";
import type { AgentResult } from "../../src/host/agent-output";

const error = (rc: number, msg: string): string => {
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
  return hostError("rack-01", "10.0.0.1", result, []).message;
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
});
