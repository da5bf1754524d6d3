import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { alertRules, scrapeConfig } from "../../src/render/mirror/alerts";
import { dashboard } from "../../src/render/mirror/dashboard";
import { machineGo, temporaryDirectory } from "../support/go";
import { program } from "../support/nginx";
import { skip } from "../support/skip";
import { StoreLab } from "./support/store-lab";

const RULES = alertRules({ component: "goproxy", watchEvery: 15, repairEvery: 600 });

/** Series by name, in Prometheus' notation for a value each minute. */
type Series = Readonly<Record<string, string>>;

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
  "the certificate is old": ["gofleet_mirror_certificate", "1000000x1500", ["GoMirrorCertificateExpires"]],
  "the certificate is over": [
    "gofleet_mirror_certificate",
    "100000x1500",
    ["GoMirrorCertificateExpires", "GoMirrorCertificateExpiresNow"],
  ],
  "a tier is down": ["gofleet_mirror_tier_up", "0x1500", ["GoMirrorTierDown"]],
};

describe("a mirror's alert rules, by Prometheus", function () {
  this.timeout(60_000);
  let folder: string;
  before(function () {
    if (program("promtool") === undefined) return skip(this, "there is no promtool");
    folder = temporaryDirectory();
    writeFileSync(join(folder, "rules.yml"), RULES);
    writeFileSync(join(folder, "prometheus.yml"), scrapeConfig("goproxy", "127.0.0.1:9180"));
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));

  function promtool(args: readonly string[], input?: string): string {
    const { status, stdout, stderr } = spawnSync(program("promtool") ?? "", args, {
      cwd: folder,
      input,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout + stderr);
    return stdout + stderr;
  }

  it("are good rules, and the jobs a good configuration", () => {
    assert.match(promtool(["check", "rules", "rules.yml"]), /11 rules found/);
    promtool(["check", "config", "--syntax-only", "prometheus.yml"]);
  });

  /** The names of the alerts that fire a day after the start, by promtool's own evaluation. */
  function firing(series: Series): readonly string[] {
    const names = (parse(RULES) as { groups: { rules: { alert: string }[] }[] }).groups[0]?.rules.map(
      ({ alert }) => alert,
    );
    const test = {
      rule_files: ["rules.yml"],
      tests: [
        {
          interval: "1m",
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          // Nothing is expected: what fires is what promtool complains about.
          alert_rule_test: (names ?? []).map((alertname) => ({ eval_time: "24h", alertname, exp_alerts: [] })),
        },
      ],
    };
    writeFileSync(join(folder, "test.yml"), stringify(test));
    const { stdout, stderr } = spawnSync(program("promtool") ?? "", ["test", "rules", "test.yml"], {
      cwd: folder,
      encoding: "utf8",
    });
    return [...(stdout + stderr).matchAll(/alertname: (\w+),/g)].map(([, name = ""]) => name).sort();
  }

  it("are silent where all is well", () => assert.deepEqual(firing(WELL), []));

  for (const [name, [start, values, alerts]] of Object.entries(TROUBLE)) {
    it(`say so when ${name}`, () => {
      const series = Object.entries(WELL).map(([each, well]) => [each, each.startsWith(start) ? values : well]);
      assert.deepEqual(firing(Object.fromEntries(series) as Series), alerts);
    });
  }

  it("ask for metrics that the keeper writes, in a format that Prometheus takes", function () {
    if (!machineGo()) return skip(this, "there is no go command");
    const lab = new StoreLab();
    assert.equal(lab.keeper("run").code, 0);
    const text = readFileSync(join(lab.state, "metrics.prom"), "utf8");
    assert.equal(promtool(["check", "metrics"], text), "");
    const written = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric));
    // Only with a certificate, and with tiers.
    for (const name of ["gofleet_mirror_certificate_not_after_timestamp_seconds", "gofleet_mirror_tier_up"])
      written.add(name);
    const asked = new Set((RULES + dashboard()).match(/\bgofleet_(store|mirror)_\w+/g));
    assert.deepEqual(
      [...asked].filter((name) => !written.has(name)),
      [],
    );
    assert.ok(asked.size > 10);
    rmSync(lab.folder, { recursive: true });
  });
});
