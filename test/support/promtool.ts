import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "mocha";
import { parse, stringify } from "yaml";
import { temporaryDirectory } from "./go";
import { program } from "./nginx";
import { skip } from "./skip";

/** Series by name, in Prometheus' notation for a value each minute. */
export type Series = Readonly<Record<string, string>>;

/** Prometheus' own tool, with one file of alerting rules. */
export class Promtool {
  private constructor(
    private readonly folder: string,
    private readonly rules: string,
  ) {}

  /** Skips the test where there is none. */
  static open(context: Context, rules: string): Promtool {
    if (program("promtool") === undefined) skip(context, "there is no promtool");
    const tool = new Promtool(temporaryDirectory(), rules);
    writeFileSync(join(tool.folder, "rules.yml"), rules);
    return tool;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What it says of the rules, which must be good. */
  checkRules(): string {
    return this.good(["check", "rules", "rules.yml"]);
  }

  checkConfig(text: string): void {
    writeFileSync(join(this.folder, "prometheus.yml"), text);
    this.good(["check", "config", "--syntax-only", "prometheus.yml"]);
  }

  /** The text must be in the exposition format, and nothing in it a surprise. */
  checkMetrics(text: string): void {
    assert.equal(this.good(["check", "metrics"], text), "");
  }

  /**
   * The names of the alerts that fire at a time.
   *
   * @param after that time, since the start
   * @param every between two evaluations of the rules until then
   */
  firing(series: Series, { after = "24h", every = "5m" } = {}): readonly string[] {
    const groups = (parse(this.rules) as { groups: { rules: { alert?: string }[] }[] }).groups;
    const test = {
      rule_files: ["rules.yml"],
      evaluation_interval: every,
      tests: [
        {
          interval: "1m",
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          // Nothing is expected: what fires is what promtool complains about.
          alert_rule_test: groups
            .flatMap(({ rules }) => rules.flatMap(({ alert = [] }) => alert))
            .map((alertname) => ({ eval_time: after, alertname, exp_alerts: [] })),
        },
      ],
    };
    writeFileSync(join(this.folder, "test.yml"), stringify(test));
    const { stdout, stderr } = this.run(["test", "rules", "test.yml"]);
    return [...(stdout + stderr).matchAll(/alertname: (\w+),/g)].map(([, name = ""]) => name).sort();
  }

  private good(args: readonly string[], input?: string): string {
    const { status, stdout, stderr } = this.run(args, input);
    assert.equal(status, 0, stdout + stderr);
    return stdout + stderr;
  }

  private run(args: readonly string[], input?: string) {
    return spawnSync(program("promtool") ?? "", args, { cwd: this.folder, input, encoding: "utf8" });
  }
}
