import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GATE_KINDS } from "../../src/report/gate";
import { REPOSITORY } from "../support/engine/project";
import { schemaErrors } from "./support/schema";

const read = (path: string): unknown => JSON.parse(readFileSync(join(REPOSITORY, path), "utf8"));

/** A report of a real preview. */
const golden = () => structuredClone(read("test/golden/report/policies.json")) as Editable;

interface Editable {
  version: number;
  verdict: Record<string, unknown>;
  gate: { pass: unknown; reasons: Record<string, unknown>[] };
  risks: Record<string, unknown>[];
  stacks: Record<string, unknown>[];
  [more: string]: unknown;
}

describe("the schema of reports", () => {
  it("is in the package as the pages link it", () => {
    assert.deepEqual(
      JSON.parse(readFileSync(require.resolve("gofleet/report.schema.json"), "utf8")),
      read("src/report/report.schema.json"),
    );
  });

  it("takes a report of a real preview, with the verdict for machines", () => {
    const report = golden();
    assert.deepEqual(schemaErrors(report), []);
    assert.equal(report.gate.pass, false);
    assert.ok(report.gate.reasons.length > 0);
  });

  const WRONG: Readonly<Record<string, (report: Editable) => void>> = {
    "no verdict": (report) => delete (report as Partial<Editable>).verdict,
    "another version": (report) => (report.version = 2),
    "a level nobody knows": (report) => (report.verdict["level"] = "fine"),
    "a verdict that is no boolean": (report) => (report.gate.pass = "yes"),
    "a reason without its kind": ({ gate }) => delete gate.reasons[0]?.["kind"],
    "a reason of another kind": ({ gate }) => void ((gate.reasons[0] ?? {})["kind"] = "mood"),
    "a risk without its stack": ({ risks }) => delete risks[0]?.["stack"],
    "a text that is no text": ({ risks }) => void ((risks[0] ?? {})["text"] = { parts: [] }),
    "a property it does not name": (report) => (report["extra"] = 1),
    "a property it does not name, further down": ({ stacks }) => void ((stacks[0] ?? {})["extra"] = 1),
  };
  for (const [name, spoil] of Object.entries(WRONG)) {
    it(`refuses ${name}`, () => {
      const report = golden();
      spoil(report);
      assert.notDeepEqual(schemaErrors(report), []);
    });
  }

  it("knows every kind of reason that the gate has", () => {
    for (const kind of [...GATE_KINDS, "limit"]) {
      const report = golden();
      report.gate.reasons = [{ kind, text: "x", approved: false }];
      assert.deepEqual(schemaErrors(report), [], kind);
    }
  });
});
