import assert from "node:assert/strict";
import { parse } from "yaml";
import { sandboxAlertRules, sandboxScrapeConfig } from "../../../src/render/sandbox/alerts";
import { sandboxDashboard } from "../../../src/render/sandbox/dashboard";
import { assertGolden } from "../../support/golden";
import { assertNoneOverAnother } from "../dashboard-grid";

const OPTIONS = { component: "ci", watchEvery: 60, persistEvery: 3600, enforced: true } as const;

interface Groups {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

describe("a sandbox's alert rules", () => {
  const names = (options: Partial<typeof OPTIONS> | object) =>
    (parse(sandboxAlertRules({ ...OPTIONS, ...options })) as Groups).groups.flatMap(({ rules }) =>
      rules.map(({ alert }) => alert),
    );

  it("are as written down", () => assertGolden("sandbox/alerts.yml", sandboxAlertRules(OPTIONS)));

  it("ask for this sandbox alone", () => {
    const { groups } = parse(sandboxAlertRules({ ...OPTIONS, component: "other" })) as Groups;
    for (const { alert, expr } of groups[0]?.rules ?? []) assert.match(expr, /\{component="other"/, alert);
  });

  it("wait longer for a watch that is told to look seldom", () => {
    assert.match(sandboxAlertRules({ ...OPTIONS, watchEvery: 3600 }), /watch_last_run\S+ > 36000$/m);
  });

  it("are only those that can come true", () => {
    const all = names({});
    const lost = (options: object) => all.filter((name) => !names(options).includes(name));
    assert.deepEqual(lost({ persistEvery: 0 }), ["GoSandboxCacheNotCopied"]);
    assert.deepEqual(lost({ enforced: false }), ["GoSandboxDenied"]);
  });
});

describe("a sandbox's scrape configuration", () => {
  it("is as written down", () => {
    assertGolden(
      "sandbox/scrape.yml",
      sandboxScrapeConfig("ci", ["10.20.0.11", "builder.corp.example", "2001:db8::1"]),
    );
  });

  it("keeps the metrics of a component whose name has a dot, and of no other", () => {
    const { scrape_configs } = parse(sandboxScrapeConfig("ci.a", ["h"])) as {
      scrape_configs: { metric_relabel_configs: { regex: string }[] }[];
    };
    const kept = new RegExp(`^(?:${scrape_configs[0]?.metric_relabel_configs[0]?.regex})$`);
    assert.match("gofleet_build_cache_bytes;ci.a", kept);
    assert.doesNotMatch("gofleet_build_cache_bytes;cixa", kept);
    assert.doesNotMatch("node_load1;ci.a", kept);
  });
});

describe("a sandbox's dashboard", () => {
  it("is as written down", () => assertGolden("sandbox/dashboard.json", sandboxDashboard()));
  it("has panels beside each other, none over another", () => assertNoneOverAnother(sandboxDashboard()));
});
