import type { PropertyChange } from "./compare";
import type { Forge } from "./forge";
import { sameness } from "./grouped";
import { clip, code, fenced, htmlSentence, sentence } from "./markdown-text";
import type { Detail } from "./report";
import { list, own, words, type Words } from "./words";

/** A detail, folded where the forge folds. */
export function detailItem(detail: Detail, { details }: Pick<Forge, "details">, several: boolean): string {
  const title = titleOf(detail, several);
  const body = bodyOf(detail);
  if (!details) return `**${sentence(title)}**\n\n${body}`;
  return `<details>\n<summary>${htmlSentence(title)}</summary>\n\n${body}\n\n</details>`;
}

export function titleOf(detail: Detail, several: boolean): Words {
  const { file, places } = detail;
  const names = [...new Set(places.map(({ name, stack }) => (several ? `${stack}/${name}` : name)))];
  const same = sameness(detail);
  const suffix = same === "" ? own("") : words` (${own(same)})`;
  if (file === undefined) return words`${places[0]?.type ?? ""} ${list(names)}${suffix}`;
  const signs = own(`+${file.added} −${file.removed}`);
  const kind = { add: own(", new"), delete: own(", removed"), update: own("") }[file.kind];
  return words`${file.path} ${signs}${kind} · ${list(names)}${suffix}`;
}

function bodyOf({ file, properties = [] }: Detail): string {
  if (file !== undefined) return fenced(file.lines, "diff");
  return properties.map(property).join("\n");
}

const VALUE = 300;

function property({ path, kind, before, after, replaces }: PropertyChange): string {
  const mark = { add: "➕", delete: "➖", update: "✏️" }[kind];
  const forced = replaces ? " **forces the replacement**" : "";
  const value = (text: string): string => code(clip(text, VALUE), VALUE);
  if (before !== undefined && after !== undefined && before === after) {
    return `- ${mark} ${code(path)}: changes, shown as ${value(after)} on both sides${forced}`;
  }
  const change = [before, after].filter((each) => each !== undefined).map(value);
  return `- ${mark} ${code(path)}: ${change.join(" → ")}${forced}`;
}
