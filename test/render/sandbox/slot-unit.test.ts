import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { checkCommand } from "../../../src/model/sandbox/agents/exec";
import { parsePath, type AbsolutePath } from "../../../src/model/names";
import { mountUnitName } from "../../../src/render/sandbox/cache-units";
import { plan, textOf } from "../../plan/sandbox/parts";
import { temporaryDirectory } from "../../support/go";
import { batches } from "../../support/hostile";
import { skip } from "../../support/skip";
import { parsedUnit } from "../../support/systemd";

const TEMPLATE = "/etc/systemd/system/gofleet-ci@.service";

/** The agent's words as systemd hands them over: its own reading of the line that starts them. */
function agentOf(folder: string, command: readonly [AbsolutePath, ...string[]]): readonly string[] {
  const unit = textOf(plan({ agent: { kind: "exec", command } }), TEMPLATE);
  const start = unit.split("\n").find((line) => line.startsWith("ExecStart=")) ?? "";
  const { commands, complaints } = parsedUnit(folder, `[Service]\n${start}\n`);
  assert.deepEqual(complaints, []);
  const [run = []] = commands;
  return run.slice(run.indexOf("--") + 1);
}

describe("the unit of a slot", () => {
  let folder: string;
  before(function () {
    if (spawnSync("systemd-analyze", ["--version"]).error) skip(this, "there is no systemd-analyze");
    folder = temporaryDirectory();
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  it("hands over the agent's words as they were given (500 arguments that were checked, read by systemd)", () => {
    let kept = 0;
    fc.assert(
      fc.property(batches(50), (values) => {
        const good = values.filter((value) => checkCommand("x", ["/bin/true", value]).length === 0);
        kept += good.length;
        assert.deepEqual(agentOf(folder, ["/usr/local/bin/runner", ...good]), ["/usr/local/bin/runner", ...good]);
      }),
      { numRuns: 10, endOnFailure: true },
    );
    assert.ok(kept > 50, `only ${kept} arguments got past the check`);
  });

  it("does not expand an instance's name that is part of an argument", () => {
    assert.deepEqual(agentOf(folder, ["/bin/echo", "%i", "$HOME", "a b"]), ["/bin/echo", "%i", "$HOME", "a b"]);
  });

  it("limits Go's memory only where that was asked for, for it makes compilers slower", () => {
    const goMemory = (goMemoryLimit?: boolean) =>
      textOf(plan({ limits: { memory: "8 GiB", goMemoryLimit } }), TEMPLATE).match(/^.*GOMEMLIMIT.*$/m)?.[0];
    assert.equal(goMemory(), undefined);
    assert.equal(goMemory(false), undefined);
    assert.equal(goMemory(true), `Environment="GOMEMLIMIT=${Math.floor(2 * 2 ** 30 * 0.9)}B"`);
  });
});

describe("the unit of a cache in memory", () => {
  it("has the name that systemd gives its path (500 paths)", function () {
    fc.assert(
      fc.property(batches(50), (values) => {
        const paths = values.flatMap((value) => parsePath("x", `/${value}`).value ?? []);
        if (paths.length === 0) return;
        const { stdout, error } = spawnSync("systemd-escape", ["--path", "--suffix=mount", "--", ...paths], {
          encoding: "utf8",
        });
        if (error) return skip(this, "there is no systemd-escape");
        assert.deepEqual(
          paths.map((path) => mountUnitName(path)),
          stdout.trim().split(" "),
        );
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });
});
