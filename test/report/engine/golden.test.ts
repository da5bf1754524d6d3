import assert from "node:assert/strict";
import { renderHtml } from "../../../src/report/html";
import { renderJson } from "../../../src/report/json";
import { renderMarkdown } from "../../../src/report/markdown";
import { findSecret } from "../../support/engine/leaks";
import { assertGolden } from "../../support/golden";
import { FakeHosts } from "../../engine/pool-program";
import { FULL, reportOf, source } from "../support/example-report";
import { assertInert } from "../support/inert";
import { schemaErrors } from "../support/schema";
import { PLANTED, PLANTED_BEFORE, runScenario, SCENARIOS, type ScenarioName } from "../support/scenarios";

/** The level each report must have: a golden file alone would be rewritten with a wrong one. */
const LEVELS: Readonly<Record<ScenarioName, string>> = {
  small: "change",
  "hosts-200": "attention",
  "stacks-3": "change",
  secrets: "attention",
  hostile: "change",
  replacements: "danger",
  protected: "failed",
  unprotected: "danger",
  policies: "danger",
  failure: "failed",
  pinned: "attention",
  "no-change": "none",
};

describe("reports of real previews", function () {
  for (const name of Object.keys(SCENARIOS) as ScenarioName[]) {
    it(`${name}: as a comment, as a page, as data`, async () => {
      const hosts = new FakeHosts();
      const { files, directory } = await runScenario(name, hosts).finally(() => hosts.remove());
      const report = reportOf(files);
      assert.equal(report.verdict.level, LEVELS[name]);
      const markdown = renderMarkdown(report, { source: source(directory), full: FULL });
      const page = renderHtml(report, { source: source(directory) });
      const json = renderJson(report);
      assertGolden(`report/${name}.md`, markdown.text);
      if (name === "stacks-3") assertGolden(`report/${name}.html`, page);
      if (name === "small" || name === "policies") assertGolden(`report/${name}.json`, json);
      assert.ok(markdown.whole);
      await assertInert(markdown.text, page);
      assert.deepEqual(schemaErrors(JSON.parse(json)), []);
      const texts = new Map(Object.entries({ markdown: markdown.text, page, json }));
      for (const secret of [PLANTED, PLANTED_BEFORE]) assert.deepEqual(findSecret(secret, texts), []);
    });
  }
});
