import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxAlertRules } from "../../../src/render/sandbox/alerts";
import { REPOSITORY } from "../../support/engine/project";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { skip } from "../../support/skip";

const REPORT = join(REPOSITORY, "hosttools", "sandbox", "internal", "watch", "report.go");

describe("a sandbox's alert rules", () => {
  it("are as written down", () => assertGolden("sandbox/alerts.yml", sandboxAlertRules(60)));

  it("ask only for what the host's program tells", () => {
    const told = new Set(readFileSync(REPORT, "utf8").match(/gofleet_sandbox_\w+/g));
    const asked = sandboxAlertRules(60).match(/gofleet_sandbox_\w+/g) ?? [];
    assert.ok(asked.length > 0);
    for (const metric of asked) assert.ok(told.has(metric), metric);
  });

  it("wait longer for a watch that is told to look seldom", () => {
    assert.match(sandboxAlertRules(3600), /timestamp_seconds > 36000$/m);
  });

  it("are rules to Prometheus", function () {
    const folder = temporaryDirectory();
    try {
      const file = join(folder, "rules.yml");
      writeFileSync(file, sandboxAlertRules(60));
      const { status, stdout, stderr, error } = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" });
      if (error) return skip(this, "there is no promtool");
      assert.equal(status, 0, stdout + stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
