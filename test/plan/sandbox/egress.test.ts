import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EMPTY_PLAN } from "../../../src/plan/host-plan";
import { manifest } from "../../../src/plan/manifest";
import { egressPlan, egressText } from "../../../src/plan/sandbox/egress";
import { sandboxPlace, slotPlace } from "../../../src/plan/sandbox/place";
import { egressGuard } from "../../../src/render/sandbox/egress-units";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { assertSystemdTakes, shellcheck } from "./host-tools";

const place = sandboxPlace("ci");
const SLOTS = 2;
const PROGRAM = "/usr/local/lib/gofleet/ci/sandbox-0/bin/gofleet-sandbox";
const network = { addresses: [{ host: "10.20.0.9", ports: [443], modules: true }], resolver: "127.0.0.53" };
const texts = { egress: egressText(place, SLOTS, network), resolvConf: "# of jobs\n" };
const plan = () => egressPlan(place, SLOTS, texts, PROGRAM);

describe("egress plan", () => {
  it("is as written down", () => {
    const made = plan();
    assertGolden("sandbox/egress/manifest", manifest({ ...EMPTY_PLAN, ...made }));
    for (const { path, text } of made.files ?? []) assertGolden(`sandbox/egress${path}`, text);
    assertGolden("sandbox/egress/probe.sh", (made.probes ?? []).map(({ script }) => script).join(""));
  });

  it("names the users that the slots have", () => {
    const text = egressText(place, SLOTS, network);
    for (const number of [1, 2]) assert.ok(text.includes(`"${slotPlace(place, number).user}"`));
    assert.ok(text.includes(`"${place.moduleUser}"`));
  });

  it("never restarts what slots require", () => {
    const unit = plan().units?.find(({ name }) => name === place.egress.unit);
    assert.equal(unit?.onChange, "reload");
    assert.ok(unit.reads.includes(place.egress.rules));
  });

  it("has units that systemd takes, and a guard for the slots'", function () {
    const units = plan().files?.filter(({ path }) => /\.(service|timer)$/.test(path)) ?? [];
    const guarded = { path: "/etc/systemd/system/guarded.service", text: `[Service]\nExecStart=${egressGuard("t")}\n` };
    assertSystemdTakes(this, [...units, guarded]);
    const wrong = units.map(({ path, text }) => ({ path, text: text.replaceAll("=yes", "=perhaps") }));
    assert.throws(() => assertSystemdTakes(this, wrong), /perhaps/);
  });

  it("refuses a host that gives users of slots other users, by name or by number", () => {
    const folder = temporaryDirectory();
    const file = join(folder, "subuid");
    const [check = assert.fail()] = plan().checks ?? [];
    // Root stands for a slot's user that is there already.
    const script = check.script.replaceAll("/etc/subuid", file).replace(slotPlace(place, 2).user, "root");
    const ends = (text?: string) => {
      if (text !== undefined) writeFileSync(file, text);
      const { status, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
      return `${status} ${stderr}`;
    };
    try {
      assert.equal(ends(), "0 ");
      assert.equal(ends("people:100000:65536\ngofleet-ci-11:165536:65536\n10:1:1\n"), "0 ");
      const says = / gives \S+ other users, as which jobs would get past the firewall: take its line out/;
      for (const line of ["gofleet-ci-1:100000:65536", "0:100000:65536"]) {
        const ended = ends(`people:100000:65536\n${line}\n`);
        assert.match(ended, /^1 /);
        assert.match(ended, says);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has a check and a probe that shellcheck has nothing to say of", function () {
    for (const { script } of [...(plan().checks ?? []), ...(plan().probes ?? [])])
      assert.equal(shellcheck(this, script), "");
  });
});
