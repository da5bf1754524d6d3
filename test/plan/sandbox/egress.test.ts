import assert from "node:assert/strict";
import { EMPTY_PLAN } from "../../../src/plan/host-plan";
import { manifest } from "../../../src/plan/manifest";
import { egressPlan, egressText } from "../../../src/plan/sandbox/egress";
import { sandboxPlace, slotPlace } from "../../../src/plan/sandbox/place";
import { egressGuard } from "../../../src/render/sandbox/egress-units";
import { assertGolden } from "../../support/golden";
import { assertSystemdTakes, shellcheck } from "./host-tools";

const place = sandboxPlace("ci");
const SLOTS = 2;
const PROGRAM = "/usr/local/lib/gofleet/ci/sandbox-0/bin/gofleet-sandbox";
const network = { addresses: [{ host: "10.20.0.9", ports: [443], modules: true }], resolver: "127.0.0.53" };
const plan = () => egressPlan(place, SLOTS, egressText(place, SLOTS, network), PROGRAM);

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

  it("has a probe that shellcheck has nothing to say of", function () {
    for (const { script } of plan().probes ?? []) assert.equal(shellcheck(this, script), "");
  });
});
