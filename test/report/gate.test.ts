import assert from "node:assert/strict";
import { approvable, type GateOptions } from "../../src/report/gate";
import { reportOf } from "./support/example-report";
import { file, step, SUMMARY, updated } from "./support/events";

const gone = (protect: boolean) => step("delete", "corp:index:Disk", "data", { old: { inputs: { size: 1 }, protect } });
const policy = (enforcementLevel: string) => ({
  policyEvent: {
    policyName: "no-plain-secrets",
    policyPackName: "p",
    message: "m",
    enforcementLevel,
    resourceUrn: "x",
  },
});
const gate = (events: Parameters<typeof file>[0], options?: GateOptions) =>
  reportOf([file([step("same", "corp:index:A", "a", {}), ...events, SUMMARY])], { gate: options }).gate;

describe("the gate", () => {
  it("lets pass what changes nothing of value", () => {
    const small = updated("a", { hosts: 1, files: { "/a": "1" } }, { hosts: 1, files: { "/a": "2" } });
    assert.equal(gate(small).pass, true);
    assert.equal(gate(small, { failOn: ["downtime"] }).pass, false);
    assert.equal(gate([gone(false)]).pass, true);
    assert.equal(gate([gone(false)], { failOn: ["delete"] }).pass, false);
  });

  it("asks for an approval where something protected goes, and takes no other label for it", () => {
    assert.deepEqual(
      gate([gone(true)]).reasons.map(({ kind }) => kind),
      ["protected"],
    );
    assert.equal(gate([gone(true)]).pass, false);
    assert.equal(gate([gone(true)], { approvals: ["approved", "gofleet/approve"] }).pass, false);
    assert.equal(gate([gone(true)], { approvals: ["gofleet/approve-destroy"] }).pass, true);
    assert.equal(gate([gone(true)], { approval: "yes", approvals: ["gofleet/approve-destroy"] }).pass, false);
    assert.equal(gate([gone(true)], { failOn: ["delete"] }).pass, false, "what is protected is deleted as well");
  });

  it("asks for it where the protection itself goes, which the engine lets pass without a word", () => {
    const state = (protect: boolean) => ({ inputs: { size: 1 }, protect });
    const bared = step("same", "corp:index:Disk", "data", { old: state(true), new: state(false) });
    assert.deepEqual(
      gate([bared]).reasons.map(({ kind, text }) => `${kind}: ${text.toJSON()}`),
      ["protected: Disk data is no longer protected"],
    );
    assert.equal(gate([bared], { approvals: ["gofleet/approve-destroy"] }).pass, true);
    const kept = step("same", "corp:index:Disk", "data", { old: state(true), new: state(true) });
    assert.equal(gate([kept]).pass, true);
  });

  it("lets no approval pass a mandatory policy or a failed preview; an advisory policy stops nothing", () => {
    const approvals = ["gofleet/approve-destroy"];
    assert.equal(gate([policy("advisory")]).pass, true);
    assert.equal(gate([policy("mandatory")], { approvals }).pass, false);
    assert.equal(approvable(gate([policy("mandatory")], { approvals })), false);
    const failed = { diagnosticEvent: { severity: "error", message: "it broke" } };
    assert.equal(gate([failed], { approvals }).pass, false);
  });

  it("holds limits of what is deleted, replaced and visited", () => {
    const three = updated("a", { hosts: 3, files: { "/a": "1" } }, { hosts: 3, files: { "/a": "2" } });
    assert.equal(gate(three, { maxHosts: 3 }).pass, true);
    const over = gate([...three, gone(false)], { maxHosts: 2, maxDeletes: 0 });
    assert.deepEqual(
      over.reasons.map(({ text }) => text.toJSON()),
      ["deleted: 1, at most 0 allowed", "hosts visited: 3, at most 2 allowed"],
    );
    assert.equal(gate(three, { failOn: ["changes"] }).pass, false);
  });
});
