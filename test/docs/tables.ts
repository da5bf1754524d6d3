import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

/** A Markdown table as prettier aligns it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first = [], ...rest] = all;
  return [line(first), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest.map(line)].join("\n");
}

/** A directive's value as a page shows it. */
export function shownValue(value: string | readonly string[]): string {
  return value === "" ? "nothing" : `\`${[value].flat().join("` `")}\``;
}

/** The page must hold each of these between its marks, `<!-- name -->` and `<!-- /name -->`. */
export function assertPage(file: string, made: Readonly<Record<string, string>>): void {
  const text = readFileSync(file, "utf8");
  const wanted = Object.entries(made).reduce((page, [name, each]) => {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    assert.match(page, place, `${file} has no place for ${name}`);
    return page.replace(place, (_, begin: string, end: string) => `${begin}\n${each}\n\n${end}`);
  }, text);
  if (process.env.UPDATE_GOLDEN === "1" && !process.env.CI) writeFileSync(file, wanted);
  else assert.equal(text, wanted, "UPDATE_GOLDEN=1 writes the tables");
}
