import assert from "node:assert/strict";
import { parse } from "yaml";
import { alertRules, scrapeConfig } from "../../../src/render/mirror/alerts";
import { dashboard } from "../../../src/render/mirror/dashboard";
import { assertGolden } from "../../support/golden";
import { assertNoneOverAnother } from "../dashboard-grid";

interface Groups {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

describe("a mirror's alert rules", () => {
  it("are as written down", () => {
    assertGolden(
      "mirror/alerts.yml",
      alertRules({ component: "goproxy", store: { watchEvery: 15, repairEvery: 600 } }),
    );
    assertGolden("mirror/scrape.yml", scrapeConfig("goproxy", "127.0.0.1:9180", true));
  });

  it("ask for this mirror alone", () => {
    const { groups } = parse(alertRules({ component: "other", store: { watchEvery: 15, repairEvery: 600 } })) as Groups;
    for (const { alert, expr } of groups[0]?.rules ?? []) assert.match(expr, /\{component="other"\}/, alert);
  });

  it("wait longer for a keeper that is told to run seldom", () => {
    const text = alertRules({ component: "goproxy", store: { watchEvery: 600, repairEvery: 86_400 } });
    assert.match(text, /last_run_timestamp_seconds\{component="goproxy"\} > 6000$/m);
    assert.match(text, /last_repair_timestamp_seconds\{component="goproxy"\} > 518400$/m);
  });

  it("say nothing of a store that is kept elsewhere, for it has no metrics here", () => {
    const { groups } = parse(alertRules({ component: "goproxy", store: undefined })) as Groups;
    assert.deepEqual(
      groups[0]?.rules.map(({ alert }) => alert),
      ["GoMirrorDown"],
    );
    assert.doesNotMatch(scrapeConfig("goproxy", "127.0.0.1:9180", false), /store/);
  });
});

describe("a mirror's dashboard", () => {
  it("is as written down", () => assertGolden("mirror/dashboard.json", dashboard()));

  it("has panels beside each other, none over another", () => assertNoneOverAnother(dashboard()));
});
