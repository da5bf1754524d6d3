import assert from "node:assert/strict";
import { buildReport } from "../../src/report/build";
import { renderMarkdown } from "../../src/report/markdown";
import { readPreview } from "../../src/report/read-preview";
import type { EngineEvent } from "../../src/report/read-events";
import { COMPONENT, file, RELEASE, releaseInputs, step, SUMMARY, urn } from "./support/events";

const OLD = "1f0e0000aaaa2222";
const NEW = "9c3b0000aaaa1111";
const PIN = { release: OLD, reason: "checkout answers 500" };

interface Side {
  readonly text: string;
  readonly pin?: typeof PIN;
  /** What the three hosts are on. */
  readonly on?: readonly string[];
}

/** A pool of three and its release, as a preview tells of it. */
function reported(op: string, before: Side, after: Side, message?: string) {
  const parent = urn(COMPONENT, "cache");
  const of = ({ text, pin }: Side) =>
    releaseInputs({ hosts: 3, files: { "/etc/cache.conf": text }, ...(pin && { more: { pin } }) });
  const actual = Object.fromEntries(
    (before.on ?? [NEW, NEW, NEW]).map((release, i) => [`rack-000${i + 1}`, `${release} ${"f".repeat(32)} debian-12`]),
  );
  const events: EngineEvent[] = [
    step("same", COMPONENT, "cache", { new: { inputs: {} }, old: { inputs: {} } }),
    step(op, RELEASE, "cache-release", {
      old: { parent, inputs: of(before), outputs: { actual } },
      new: { parent, inputs: of(after), outputs: {} },
    }),
    ...(message === undefined
      ? []
      : [{ diagnosticEvent: { severity: "warning", message, urn: urn(RELEASE, "cache-release") } }]),
    SUMMARY,
  ];
  const report = buildReport(readPreview([file(events)]));
  return { report, text: renderMarkdown(report).text, risks: report.risks.map((risk) => risk.text.toJSON()) };
}

const told = (what: string): string =>
  `pinned to release ${OLD} (${PIN.reason}): ${what}, until \`gofleet rollback service --undo\``;
const RISK = `cache is pinned to release ${OLD} (${PIN.reason})`;
const UNTIL = "until gofleet rollback service --undo";

describe("the report of a pinned release", () => {
  it("says that its hosts go back, which ones, and why; the program's files are not what changes there", () => {
    const warning = told(`the program's release ${NEW} is not rolled out`);
    const { report, text, risks } = reported("update", { text: "2\n" }, { text: "2\n", pin: PIN }, warning);
    assert.ok(risks.includes(`${RISK}: the program's release ${NEW} is not rolled out, ${UNTIL}`), risks.join("\n"));
    assert.ok(risks.includes("cache restarts or stops service.service on 3 hosts"), risks.join("\n"));
    const [change] = report.components;
    assert.equal(change?.headline.toJSON(), `goes back to release ${OLD} and is held there`);
    assert.equal(change?.visited, 3);
    assert.match(change?.sentences.map((each) => each.toJSON()).join("\n") ?? "", /^because checkout answers 500$/m);
    assert.deepEqual(report.diagnostics, [], "said once, with the component's name");
    assert.equal(text.split(PIN.reason).length - 1, 2);
  });

  it("visits only hosts that are not on it yet", () => {
    const { report } = reported("update", { text: "2\n", on: [OLD, NEW, OLD] }, { text: "2\n", pin: PIN });
    assert.equal(report.components[0]?.visited, 1);
  });

  it("stays in sight where nothing changes", () => {
    const on = [OLD, OLD, OLD];
    const { report, risks } = reported("same", { text: "2\n", pin: PIN, on }, { text: "2\n", pin: PIN });
    assert.deepEqual(risks, [`${RISK}: the program's release is not rolled out, ${UNTIL}`]);
    assert.equal(report.verdict.level, "attention");
    assert.equal(report.verdict.hosts, 0);
  });

  it("shows what the program changes meanwhile, and that it reaches no host", () => {
    const on = [OLD, OLD, OLD];
    const { report, text } = reported("update", { text: "2\n", pin: PIN, on }, { text: "3\n", pin: PIN });
    const [change] = report.components;
    assert.equal(change?.headline.toJSON(), `stays held on release ${OLD}`);
    assert.equal(change?.visited, 0);
    assert.match(text, /not rolled out while it is pinned/);
    assert.match(text, /^\+3$/m);
  });

  it("says that the program's release goes on again when the pin is gone", () => {
    const { report, risks } = reported("update", { text: "2\n", pin: PIN, on: [OLD, OLD, OLD] }, { text: "2\n" });
    assert.equal(report.components[0]?.headline.toJSON(), `no longer held on release ${OLD}: the program's goes on`);
    assert.equal(report.components[0]?.visited, 3);
    assert.ok(!risks.some((risk) => risk.includes("is pinned to")), risks.join("\n"));
  });
});
