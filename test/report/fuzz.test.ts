import assert from "node:assert/strict";
import fc from "fast-check";
import { budgetOf, FORGES, forge, sizeOf, type ForgeName } from "../../src/report/forge";
import { renderHtml } from "../../src/report/html";
import { renderJson } from "../../src/report/json";
import { renderMarkdown } from "../../src/report/markdown";
import type { EngineEvent } from "../../src/report/read-events";
import { findSecret } from "../support/engine/leaks";
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
  "\n```\n",
  "\n ````\n",
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
      // Lines that both sides have are shown too.
      { hosts: 1, files: { [at(3)]: `${at(8)}\n${at(6)}` }, more },
      { hosts: 1, files: { [at(3)]: `${at(8)}\n${at(7)}` }, more: { hosts } },
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

/** The forges' limits once more, apart from the code that keeps to them. */
const LIMITS: Readonly<Record<ForgeName, { readonly characters: number; readonly bytes: number }>> = {
  github: { characters: 65_536, bytes: 65_536 },
  "github-summary": { characters: 1_048_576, bytes: 1_048_576 },
  gitlab: { characters: 1_000_000, bytes: 1_000_000 },
  "azure-devops": { characters: 150_000, bytes: 150_000 },
  bitbucket: { characters: 32_768, bytes: 32_768 },
};

const PLANTED = "hunter2-planted-secret";
const SIGNATURE = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

/** How the engine writes a secret into events, digests and states. */
const FORMS: readonly ((value: string) => unknown)[] = [
  (value) => ({ ...SIGNATURE, plaintext: JSON.stringify(value) }),
  (value) => ({ ...SIGNATURE, value }),
  (value) => ({ ...SIGNATURE, ciphertext: value }),
  (value) => ({ ...SIGNATURE, value: { deep: [value] } }),
];

/** Where a secret may stand in a preview; the value is the key or the text beside it. */
const PLACES = ["file", "host", "rollout", "input", "list", "deep", "replaced", "listed"] as const;
type Places = Readonly<Partial<Record<(typeof PLACES)[number], string>>>;
const places: fc.Arbitrary<Places> = fc.record(
  Object.fromEntries(PLACES.map((place) => [place, text])) as Record<(typeof PLACES)[number], typeof text>,
  { requiredKeys: [] },
);

/** A preview with the planted value in those places, on its new side. */
function planted(form: (value: string) => unknown, at: Places): EngineEvent[] {
  const secret = form(PLANTED);
  const some = (key: string | undefined, value: unknown): Record<string, unknown> =>
    key === undefined ? {} : { [`k${key}`]: value };
  const before = { hosts: 2, files: { "/etc/a": "1" } };
  const files = { "/etc/a": "2", ...(some(at.file, secret) as Record<string, string>) };
  const hosts = at.host === undefined ? {} : { hosts: { a: "ssh root@a", ...some(at.host, secret) } };
  const rollout = at.rollout === undefined ? {} : { rollout: { canary: 1, batch: secret } };
  const inputs = {
    ...some(at.input, secret),
    ...some(at.list, [at.list, secret]),
    ...some(at.deep, { [`${at.deep ?? ""}x`]: { y: secret } }),
    ...(at.listed === undefined ? {} : { listed: secret }),
    __provider: `code ${PLANTED}`,
  };
  return [
    { diagnosticEvent: { severity: "debug", message: `registering ${PLANTED}` } },
    ...updated("a", before, { hosts: 2, files, more: { ...hosts, ...rollout } }),
    step("update", "corp:index:Thing", "thing", {
      old: { inputs: { a: 1 } },
      new: { inputs, outputs: { secret } },
      ...(at.listed === undefined ? {} : { detailedDiff: { listed: { diffKind: "add" } } }),
    }),
    ...(at.replaced === undefined
      ? []
      : [step("replace", "corp:index:Thing", "other", { keys: ["a"], new: { inputs: { a: secret } } })]),
    SUMMARY,
  ];
}

/** Where the planted value can be read. */
function leaks(events: readonly EngineEvent[], name: ForgeName): readonly string[] {
  const report = reportOf([file(events)]);
  const markdown = renderMarkdown(report, { forge: name }).text;
  return findSecret(PLANTED, new Map(Object.entries({ markdown, page: renderHtml(report), json: renderJson(report) })));
}

describe("reports of hostile text", function () {
  it("hold nothing alive, and keep to the schema and to every limit", async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom(...FORGES), async (all, name) => {
        const report = reportOf([file(all)]);
        const { text: comment } = renderMarkdown(report, { forge: name, source: source("infra"), full: FULL });
        const page = renderHtml(report, { source: source("infra") });
        await assertInert(comment, page);
        assert.deepEqual(schemaErrors(JSON.parse(renderJson(report))), []);
        assert.doesNotMatch(comment + page, /[\p{Cf}\p{Cs}]|[^\P{Cc}\n\t]/u);
        assert.ok(sizeOf(comment).characters <= budgetOf(forge(name)).characters);
        assert.ok(sizeOf(comment).bytes <= budgetOf(forge(name)).bytes);
      }),
      { numRuns: 150 },
    );
  });

  it("show no secret, in whatever form and place the engine hands it over, beside whatever else is there", () => {
    fc.assert(
      fc.property(fc.constantFrom(...FORMS), places, fc.constantFrom(...FORGES), (form, all, name) => {
        assert.deepEqual(leaks(planted(form, all), name), []);
      }),
      { numRuns: 150 },
    );
  });

  it("would be seen to show one that is not marked as a secret, in each of those places", () => {
    // How a host is reached is shown nowhere.
    for (const place of PLACES.filter((each) => each !== "host")) {
      const seen = leaks(
        planted((value) => value, { [place]: "x" }),
        "github-summary",
      );
      assert.notDeepEqual(seen, [], place);
    }
  });

  it("are as long as each forge takes, and no longer", () => {
    const line = "日本😀é` </details> @corp\n";
    const after = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`/etc/${i}`, `${i}\n${line.repeat(30)}`]));
    const report = reportOf([file([...updated("a", { hosts: 2, files: {} }, { hosts: 2, files: after }), SUMMARY])]);
    for (const name of FORGES) {
      const { text: comment, whole } = renderMarkdown(report, { forge: name, full: FULL });
      const { characters, bytes } = sizeOf(comment);
      assert.equal(whole, false);
      assert.ok(characters <= LIMITS[name].characters && bytes <= LIMITS[name].bytes, name);
      assert.ok(bytes > LIMITS[name].bytes * 0.8, `${name}: ${bytes} bytes leave much room unused`);
    }
  });

  it("never cut an item, however little room there is", () => {
    const content = fc.integer({ min: 1, max: 60 }).map((count) => "日本😀é`".repeat(count * 20));
    fc.assert(
      fc.property(
        fc.array(content, { minLength: 1, maxLength: 30 }),
        fc.record({
          characters: fc.integer({ min: 2000, max: 30_000 }),
          bytes: fc.integer({ min: 2000, max: 30_000 }),
        }),
        (texts, budget) => {
          const after = Object.fromEntries(texts.map((each, index) => [`/etc/${index}`, each]));
          const report = reportOf([
            file([...updated("a", { hosts: 2, files: {} }, { hosts: 2, files: after }), SUMMARY]),
          ]);
          const { text: comment, whole } = renderMarkdown(report, { budget });
          assert.ok(sizeOf(comment).characters <= budget.characters && sizeOf(comment).bytes <= budget.bytes);
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
