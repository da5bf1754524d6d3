import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fleetPolicies } from "../../src/policy/pack";
import type { RuleInfo } from "../../src/policy/rule";
import { RULES } from "../../src/policy/rules";
import { incident } from "../../src/policy/rules/incident";
import { REPOSITORY } from "../support/engine/project";

const ALL: readonly RuleInfo[] = [...RULES, incident];

/** What the documentation must say of a rule: its facts, word for word. */
function facts({ name, description, level, severity, remediation, settings, defaults }: RuleInfo): string[] {
  const known = defaults as Readonly<Record<string, unknown>>;
  return [
    `### \`${name}\``,
    `*${level} · ${severity}*`,
    description,
    `**Remedy:** ${remediation}`,
    ...Object.entries(settings).map(
      ([key, schema]) => `- \`${key}\` (default \`${JSON.stringify(known[key])}\`): ${schema.description}`,
    ),
  ];
}

describe("policy: the documentation", () => {
  // Prettier breaks lines and may write emphasis either way.
  const plain = (text: string): string => text.replace(/\s+/g, " ").replace(/_(\w+ · \w+)_/g, "*$1*");
  const text = plain(readFileSync(join(REPOSITORY, "docs/policy.md"), "utf8"));

  for (const rule of ALL) {
    it(`has ${rule.name} as it is`, () => {
      for (const fact of facts(rule)) assert.ok(text.includes(plain(fact)), `docs/policy.md lacks: ${fact}`);
    });
  }

  it("has no rule that is gone", () => {
    const sections = [...text.matchAll(/### `([\w-]+)`/g)].map(([, name]) => name);
    assert.deepEqual(
      sections,
      ALL.map(({ name }) => name),
    );
  });

  it("gives each rule a name of its own, and the pack has them all", () => {
    const names = fleetPolicies().map(({ name }) => name);
    assert.deepEqual(
      names,
      ALL.map(({ name }) => name),
    );
    assert.equal(new Set(names).size, names.length);
  });

  it("shows the example's config as it is", () => {
    const file = JSON.parse(readFileSync(join(REPOSITORY, "examples/policy/config.json"), "utf8")) as object;
    const [, shown = "{}"] = /```json\n(.*?)```/s.exec(readFileSync(join(REPOSITORY, "docs/policy.md"), "utf8")) ?? [];
    assert.deepEqual(JSON.parse(shown), file);
    for (const [name, settings] of Object.entries(file)) {
      const rule = ALL.find((each) => each.name === name);
      assert.ok(rule, name);
      for (const key of Object.keys(settings as object))
        assert.ok(key === "enforcementLevel" || key in rule.settings, key);
    }
  });
});
