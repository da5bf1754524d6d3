import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIRECTIVES, LEFT_OUT, type Directive } from "../../src/model/sandbox/directives";
import { REPOSITORY } from "../support/engine/project";

const FILE = join(REPOSITORY, "docs", "build-agent-sandbox.md");

/** A Markdown table as prettier aligns it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first = [], ...rest] = all;
  return [line(first), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest.map(line)].join("\n");
}

const shown = (value: string | readonly string[]) => `\`${[value].flat().join("` `") || " "}\``;

function directives(): string {
  const rows = DIRECTIVES.map((directive: Directive) => {
    const { name, value, reason } = directive;
    const changed = !("withUserNamespaces" in directive)
      ? "the same"
      : directive.withUserNamespaces === undefined
        ? "not set"
        : shown(directive.withUserNamespaces);
    return [`\`${name}\``, value === "" ? "nothing" : shown(value), reason, changed];
  });
  return table(["directive", "value", "why", "with user namespaces"], rows);
}

function leftOut(): string {
  return table(
    ["directive", "why not"],
    Object.entries(LEFT_OUT).map(([name, reason]) => [`\`${name}\``, reason]),
  );
}

describe("the page of the build sandbox", () => {
  it("has the directives that slots have, with their reasons", () => {
    const text = readFileSync(FILE, "utf8");
    const wanted = [
      ["directives", directives()],
      ["left out", leftOut()],
    ].reduce(
      (page, [name, made]) =>
        page.replace(
          new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`),
          (_, begin: string, end: string) => `${begin}\n${made}\n${end}`,
        ),
      text,
    );
    if (process.env.UPDATE_GOLDEN === "1" && !process.env.CI) writeFileSync(FILE, wanted);
    else assert.equal(text, wanted, "UPDATE_GOLDEN=1 writes the table");
    assert.ok(wanted.includes("NoNewPrivileges"));
  });
});
