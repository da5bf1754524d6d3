import assert from "node:assert/strict";
import fc from "fast-check";
import { FORGES, forge, sizeOf, budgetOf } from "../../src/report/forge";
import { renderHtml } from "../../src/report/html";
import { renderJson } from "../../src/report/json";
import { renderMarkdown } from "../../src/report/markdown";
import type { EngineEvent } from "../../src/report/read-events";
import { hostile as anyHostile } from "../support/hostile";
import { FULL, reportOf, source } from "./support/example-report";
import { file, step, SUMMARY, updated, urn } from "./support/events";
import { assertInert, liveMarkdown, livePage } from "./support/inert";
import { schemaErrors } from "./support/schema";

/** What means something to Markdown, to HTML and to forges. */
const PIECES = [
  "</code></summary></details>",
  "<img src=x onerror=alert(1)>",
  "<!-- gofleet -->",
  "@corp/admins",
  "#1",
  "GH-2",
  "!3",
  "~label",
  "https://evil.example",
  "www.evil.example",
  "a@evil.example",
  "[x](javascript:alert(1))",
  "```",
  "````",
  "~~~",
  "`",
  "|",
  "\n\n# heading\n",
  "\n---\n",
  "\n- item\n",
  "\n> quote\n",
  "    code",
  "&lt;",
  "&#64;",
  "**b**",
  ":tada:",
  "\u202E",
  "\u200B",
];
const text = fc.oneof(
  anyHostile,
  fc.array(fc.constantFrom(...PIECES, "a", " "), { maxLength: 10 }).map((all) => all.join("")),
);

/** A preview with hostile text in every place that comes from a user. */
const events = fc.array(text, { minLength: 14, maxLength: 14 }).map((all): EngineEvent[] => {
  const at = (index: number): string => all[index] ?? "";
  const hosts = { [at(0)]: `ssh root@${at(1)}`, b: "ssh root@b" };
  const more = { hosts, secrets: { [at(2)]: "[secret]" }, drift: { [at(0)]: { [at(3)]: at(4) } } };
  return [
    ...updated(
      at(5),
      { hosts: 1, files: { [at(3)]: at(6) }, more },
      { hosts: 1, files: { [at(3)]: at(7) }, more: { hosts } },
    ),
    step("replace", `corp:index:${at(8)}`, at(9), {
      keys: [at(10)],
      old: { inputs: { [at(10)]: at(11) }, protect: true },
      new: { inputs: { [at(10)]: { [at(12)]: at(13) } } },
    }),
    step("delete", `corp:index:${at(12)}`, at(13), { old: { inputs: { a: at(1) } } }),
    { diagnosticEvent: { severity: "warning", message: at(4), urn: urn("a:b:c", at(9)) } },
    {
      policyEvent: {
        policyName: at(2),
        policyPackName: at(3),
        message: at(11),
        enforcementLevel: "mandatory",
        severity: at(0),
      },
    },
    SUMMARY,
  ];
});

describe("reports of hostile text", function () {
  this.timeout(120_000);

  it("hold nothing alive, and keep to the schema and to every limit", async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom(...FORGES), async (all, name) => {
        const report = reportOf([file(all)]);
        const { text: comment } = renderMarkdown(report, { forge: name, source: source("infra"), full: FULL });
        await assertInert(comment, renderHtml(report, { source: source("infra") }));
        assert.deepEqual(schemaErrors(JSON.parse(renderJson(report))), []);
        assert.ok(sizeOf(comment).characters <= budgetOf(forge(name)).characters);
        assert.ok(sizeOf(comment).bytes <= budgetOf(forge(name)).bytes);
      }),
      { numRuns: 150 },
    );
  });

  it("never cut an item, however little room there is", () => {
    const content = fc.integer({ min: 1, max: 60 }).map((count) => "日本😀é`".repeat(count * 20));
    fc.assert(
      fc.property(
        fc.array(content, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 2000, max: 30_000 }),
        (texts, most) => {
          const after = Object.fromEntries(texts.map((each, index) => [`/etc/${index}`, each]));
          const report = reportOf([
            file([...updated("a", { hosts: 2, files: {} }, { hosts: 2, files: after }), SUMMARY]),
          ]);
          const { text: comment, whole } = renderMarkdown(report, { budget: { characters: most, bytes: most } });
          assert.ok(sizeOf(comment).characters <= most && sizeOf(comment).bytes <= most);
          assert.deepEqual(liveMarkdown(comment), []);
          assert.equal(comment.split("<details>").length, comment.split("</details>").length);
          const shown = comment.split("<details>").length - 1;
          assert.equal(whole, shown === report.details.length);
          const left = report.details.length - shown;
          if (left > 0) assert.match(comment, new RegExp(`${left} file difference`));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("would be caught alive", async () => {
    for (const alive of [
      "@corp",
      "see #1",
      "<b>x</b>",
      "![x](y)",
      "https://evil.example",
      "# h",
      "1. x",
      "*x*",
      "a@b.example",
    ]) {
      assert.notDeepEqual(liveMarkdown(alive), [], alive);
    }
    for (const alive of [
      "<script>1</script>",
      '<p onclick="x">',
      '<a href="javascript:x">y</a>',
      "<img src=x>",
      "<!-- x -->",
    ]) {
      assert.notDeepEqual(await livePage(alive), [], alive);
    }
  });
});
