import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { alertRules, scrapeConfig } from "../../src/render/mirror/alerts";
import { dashboard } from "../../src/render/mirror/dashboard";
import { needsGo } from "../support/go";
import { Promtool, type Series } from "../support/promtool";
import { StoreLab } from "./support/store-lab";

const RULES = alertRules({ component: "goproxy", store: { watchEvery: 15, repairEvery: 600 } });

const WELL: Series = {
  'up{component="goproxy",job="gofleet-goproxy-store"}': "1x1500",
  'gofleet_store_read_only{component="goproxy"}': "0x1500",
  'gofleet_store_gc_stuck{component="goproxy"}': "0x1500",
  'gofleet_store_usage_ratio{component="goproxy"}': "0.5x1500",
  'gofleet_store_alert_ratio{component="goproxy"}': "0.85x1500",
  'gofleet_store_filesystem_free_bytes{component="goproxy"}': "100000000000x1500",
  'gofleet_store_broken_versions_total{component="goproxy"}': "3x1500",
  'gofleet_store_last_run_timestamp_seconds{component="goproxy"}': "0+60x1500",
  'gofleet_store_last_repair_timestamp_seconds{component="goproxy"}': "0+60x1500",
  'gofleet_mirror_certificate_not_after_timestamp_seconds{component="goproxy"}': "9999999x1500",
  'gofleet_mirror_certificate_not_before_timestamp_seconds{component="goproxy"}': "-7000000x1500",
  'gofleet_mirror_tier_up{component="goproxy",tier="corp"}': "1x1500",
};

/** What goes wrong, and the alerts that it must raise, and no others. */
const TROUBLE: Readonly<Record<string, readonly [series: string, values: string, alerts: readonly string[]]>> = {
  "Athens is down": ["up{", "0x1500", ["GoMirrorDown"]],
  "the store is read-only": ["gofleet_store_read_only", "1x1500", ["GoMirrorStoreReadOnly"]],
  "nothing may be collected": ["gofleet_store_gc_stuck", "1x1500", ["GoMirrorStoreStuck"]],
  "the store stays full": ["gofleet_store_usage_ratio", "0.9x1500", ["GoMirrorStoreFull"]],
  "the disk fills up": ["gofleet_store_filesystem_free_bytes", "100000000000-60000000x1500", ["GoMirrorDiskFullSoon"]],
  "versions break": ["gofleet_store_broken_versions_total", "3x1380 4x120", ["GoMirrorStoreBroken"]],
  "the keeper is gone": ["gofleet_store_last_run", "0+60x1000 60000x500", ["GoMirrorKeeperSilent"]],
  "repairs do not end": ["gofleet_store_last_repair", "0+60x1000 60000x500", ["GoMirrorRepairOverdue"]],
  "the certificate is old": ["gofleet_mirror_certificate_not_after", "1000000x1500", ["GoMirrorCertificateExpires"]],
  "the certificate is over": [
    "gofleet_mirror_certificate_not_after",
    "100000x1500",
    ["GoMirrorCertificateExpires", "GoMirrorCertificateExpiresNow"],
  ],
  "a tier is down": ["gofleet_mirror_tier_up", "0x1500", ["GoMirrorTierDown"]],
};

describe("a mirror's alert rules, by Prometheus", function () {
  let prometheus: Promtool;
  before(function () {
    prometheus = Promtool.open(this, RULES);
  });
  after(() => prometheus?.close());

  it("are good rules, and the jobs a good configuration", () => {
    assert.match(prometheus.checkRules(), /11 rules found/);
    prometheus.checkConfig(scrapeConfig("goproxy", "127.0.0.1:9180", true));
  });

  it("are silent where all is well", () => assert.deepEqual(prometheus.firing(WELL), []));

  for (const [name, [start, values, alerts]] of Object.entries(TROUBLE)) {
    it(`say so when ${name}`, () => {
      const series = Object.entries(WELL).map(([each, well]) => [each, each.startsWith(start) ? values : well]);
      assert.deepEqual(prometheus.firing(Object.fromEntries(series) as Series), alerts);
    });
  }

  it("leave a certificate of six days alone until it should long have been renewed", () => {
    const lasting = (end: number) =>
      prometheus.firing({
        ...WELL,
        'gofleet_mirror_certificate_not_after_timestamp_seconds{component="goproxy"}': `${end}x1500`,
        'gofleet_mirror_certificate_not_before_timestamp_seconds{component="goproxy"}': `${end - 6 * 86_400}x1500`,
      });
    const asked = 1500 * 60;
    assert.deepEqual(lasting(asked + 2 * 86_400), []);
    assert.deepEqual(lasting(asked + 86_400), ["GoMirrorCertificateExpires"]);
    assert.deepEqual(lasting(asked + 43_200), ["GoMirrorCertificateExpires", "GoMirrorCertificateExpiresNow"]);
  });

  it("ask for metrics that the keeper writes, in a format that Prometheus takes", function () {
    needsGo(this);
    const lab = new StoreLab();
    assert.equal(lab.keeper("run").code, 0);
    const text = readFileSync(join(lab.state, "metrics.prom"), "utf8");
    prometheus.checkMetrics(text);
    const written = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric));
    // Only with a certificate, and with tiers.
    for (const name of [
      "certificate_not_after_timestamp_seconds",
      "certificate_not_before_timestamp_seconds",
      "tier_up",
    ])
      written.add(`gofleet_mirror_${name}`);
    const asked = new Set((RULES + dashboard()).match(/\bgofleet_(store|mirror)_\w+/g));
    assert.deepEqual(
      [...asked].filter((name) => !written.has(name)),
      [],
    );
    assert.ok(asked.size > 10);
    rmSync(lab.folder, { recursive: true });
  });
});
