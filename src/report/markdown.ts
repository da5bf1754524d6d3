import { assemble, type Item } from "./assemble";
import { budgetOf, forge as forgeOf, type Forge, type ForgeName, type Size } from "./forge";
import { groupComponents, groupPolicies, type ComponentGroup, type PolicyGroup } from "./grouped";
import { linkOf, type Source } from "./links";
import { detailItem } from "./markdown-details";
import { code, fenced, place, sentence } from "./markdown-text";
import { picture } from "./mermaid";
import { approvable, shortly } from "./gate";
import type { ComponentChange, DiagnosticRow, Level, Report, Risk } from "./report";
import { capital, number } from "./words";

export interface MarkdownOptions {
  /** @default "github" */
  readonly forge?: ForgeName;
  /** Tighter than the forge's own, such as what is left beside other text. */
  readonly budget?: Size;
  readonly source?: Source;
  /** Where the whole report is: an artifact, a step summary. An http(s) address. */
  readonly full?: string;
  /** Several comments of one change are told apart by it. */
  readonly title?: string;
}

export interface Markdown {
  readonly text: string;
  /** True: nothing was left out. */
  readonly whole: boolean;
}

/** Characters kept for the line that says what was left out. */
const FOOTER = 900;

/** The report as Markdown that fits the forge: from the top, whole items only; what does not fit is counted. */
export function renderMarkdown(report: Report, options: MarkdownOptions = {}): Markdown {
  const forge = forgeOf(options.forge ?? "github");
  const budget = options.budget ?? budgetOf(forge);
  const footer = FOOTER + 4 * (options.full?.length ?? 0);
  const { text, left } = assemble(items(report, forge, options), {
    characters: budget.characters - footer,
    bytes: budget.bytes - footer,
  });
  const end = foot(left, options.full);
  return { text: `${text}${end === "" ? "" : `\n\n${end}`}\n`, whole: left.size === 0 };
}

function items(report: Report, forge: Forge, options: MarkdownOptions): Item[] {
  const link = (position: Risk["position"]): string => {
    if (position === undefined) return "";
    const { text, url } = linkOf(position, options.source);
    return ` · ${place(text, url)}`;
  };
  const several = report.stacks.length > 1;
  const drawn = forge.mermaid ? picture(report) : undefined;
  return [
    { kind: "verdict", text: headOf(report, options) },
    ...gateItems(report),
    ...report.risks.map((risk) => ({
      kind: "risk",
      tight: true,
      heading: "### Look at this first",
      text: `- ${DOTS[risk.level]} ${sentence(risk.text)}${several ? ` · ${code(risk.stack)}` : ""}${link(risk.position)}`,
    })),
    ...groupComponents(report.components).map((group) => ({
      kind: "component",
      heading: "### What changes",
      text: componentText(group, several, link),
    })),
    ...(drawn === undefined ? [] : [{ kind: "picture", text: fenced(drawn, "mermaid") }]),
    ...groupPolicies(report.policies).map((group) => ({
      kind: "policy result",
      heading: "### Policies",
      text: policyText(group, link),
    })),
    ...report.diagnostics
      .filter(({ severity }) => severity !== "info")
      .map((row) => ({ kind: "message", heading: "### Messages", text: messageText(row, several, link) })),
    ...report.details.map((detail) => ({
      kind: detail.file === undefined ? "list of properties" : "file difference",
      heading: "### Details",
      text: detailItem(detail, forge, several),
    })),
  ];
}

const DOTS: Readonly<Record<Risk["level"], string>> = { danger: "🔴", attention: "🟠", notice: "🔵" };
const MARKS: Readonly<Record<Level, string>> = {
  none: "⚪",
  change: "🟢",
  attention: "🟠",
  danger: "🔴",
  failed: "❌",
};

function headOf({ verdict, stacks, policies }: Report, { source, title }: MarkdownOptions): string {
  const names = stacks.map(({ project, stack }) => code(project === "" ? stack : `${project}/${stack}`));
  const shown = names.length > 6 ? [...names.slice(0, 6), `${names.length - 6} more stacks`] : names;
  const facts = [
    shown.join(", "),
    ...(verdict.counts.same > 0 ? [`${number(verdict.counts.same)} unchanged`] : []),
    ...policyFact(stacks, policies),
    ...(source === undefined ? [] : [`at ${code(source.commit.slice(0, 12))}`]),
  ];
  const lead = title === undefined ? "" : `${code(title)}: `;
  return `## ${MARKS[verdict.level]} ${lead}${sentence(capital(verdict.title))}\n\n${facts.filter((each) => each !== "").join(" · ")}`;
}

/** That policies were kept is worth a word too: else nobody knows that any were looked at. */
function policyFact(stacks: Report["stacks"], policies: Report["policies"]): string[] {
  const count = (level: string): number => policies.filter((each) => each.level === level).length;
  const mandatory = count("mandatory");
  if (mandatory > 0) return [`**${mandatory} ${mandatory === 1 ? "violation" : "violations"}** of policies`];
  const packs = [...new Set(stacks.flatMap((each) => each.packs))].sort();
  const of = packs.length === 0 ? "" : ` of ${packs.map((name) => code(name)).join(", ")}`;
  if (policies.length > 0) return [`policies${of}: ${policies.length} to look at`];
  return packs.length === 0 ? [] : [`policies${of} kept`];
}

/** What stops the change in one line: the risks below say more. */
function gateItems({ gate }: Report): Item[] {
  const why = shortly(gate);
  if (why === undefined) return [];
  const text = gate.pass
    ? `✅ **Approved** by ${code(gate.approval)}: ${sentence(why)}`
    : `⛔ **Stopped:** ${sentence(why)}.${approvable(gate) ? ` ${code(gate.approval)} on this change lets it pass.` : ""}`;
  return [{ kind: "gate", text: `> ${text}` }];
}

const NAMES = 8;

type Link = (at: Risk["position"]) => string;

function componentText({ first, all }: ComponentGroup, several: boolean, link: Link): string {
  const type = first.type.includes(":") ? code(first.type) : first.type;
  const name = (each: ComponentChange): string => `**${code(each.name)}**${several ? ` in ${code(each.stack)}` : ""}`;
  const headline = sentence(capital(first.headline));
  const bullets = first.sentences.map((each) => `- ${sentence(each)}`);
  const rollout = first.rollout === undefined ? [] : [`- ${sentence(first.rollout)}`];
  const mark = OPS[first.op] ?? "";
  if (all.length === 1) {
    const where = sentence(first.where);
    const lead = `${mark} ${name(first)} · ${type}${link(first.position)}  \n**${headline}${where === "" ? "" : ` ${where}`}**`;
    return [lead, ...(bullets.length + rollout.length > 0 ? [""] : []), ...bullets, ...rollout].join("\n");
  }
  const places = all.slice(0, NAMES).map((each) => {
    const facts = [sentence(each.where), ...(each.rollout === undefined ? [] : [sentence(each.rollout)])];
    const shown = facts.filter((text) => text !== "").join(": ");
    return `- ${name(each)}${shown === "" ? "" : ` ${shown}`}${link(each.position)}`;
  });
  const more = all.length > NAMES ? [`- and ${all.length - NAMES} more`] : [];
  const each = bullets.length === 0 ? [] : ["", "Each of them:", "", ...bullets];
  return [`${mark} ${type} · ${all.length} times  \n**${headline}**`, "", ...places, ...more, ...each].join("\n");
}

const OPS: Readonly<Record<string, string>> = { create: "➕", update: "✏️", replace: "♻️", delete: "➖", import: "📥" };

const MESSAGE = 600;

function policyText({ first, all }: PolicyGroup, link: Link): string {
  const mark = { mandatory: "🔴", remediate: "🔧", advisory: "🟡" }[first.level];
  const severity = first.severity === undefined ? "" : `, ${severityText(first.severity)}`;
  const on = all.flatMap(({ resource, position }) =>
    resource === undefined ? [] : [`${code(resource)}${link(position)}`],
  );
  const where =
    on.length === 0
      ? ""
      : ` on ${on.slice(0, NAMES).join(", ")}${on.length > NAMES ? ` and ${on.length - NAMES} more` : ""}`;
  const lines = first.message.split("\n").filter((line) => line.trim() !== "");
  const more = lines.length > MESSAGE_LINES ? [`… ${lines.length - MESSAGE_LINES} more lines`] : [];
  const said = [...lines.slice(0, MESSAGE_LINES).map((line) => code(line, MESSAGE)), ...more];
  return [`- ${mark} **${code(first.policy)}** (${first.level}${severity})${where}`, ...said].join("  \n  ");
}

/** The analyzer's own words as words. */
function severityText(severity: string): string {
  return /^(low|medium|high|critical)$/.test(severity) ? severity : code(severity);
}

const MESSAGE_LINES = 20;

function messageText(
  { severity, message, resource, stack, position }: DiagnosticRow,
  several: boolean,
  link: Link,
): string {
  const lines = message.split("\n");
  const shown =
    lines.length > MESSAGE_LINES
      ? [...lines.slice(0, MESSAGE_LINES), `… ${lines.length - MESSAGE_LINES} more lines`]
      : lines;
  const where = [...(resource === undefined ? [] : [code(resource)]), ...(several ? [code(stack)] : [])].join(" · ");
  return `${severity === "error" ? "❌" : "⚠️"} ${where === "" ? severity : where}${link(position)}\n\n${fenced(shown)}`;
}

function foot(left: ReadonlyMap<string, number>, full: string | undefined): string {
  const url =
    full === undefined || !URL.canParse(full) ? undefined : new URL(full).href.replace(/[()<>\s]/g, encodeURIComponent);
  const there = url === undefined || !/^https?:/.test(url) ? undefined : `[the whole report](${url})`;
  if (left.size === 0) return there === undefined ? "" : `---\n\nSee also ${there}.`;
  const counts = [...left].map(([kind, count]) => `${count} ${count === 1 ? kind : (PLURALS[kind] ?? `${kind}s`)}`);
  return `---\n\n**Left out here, for want of room:** ${counts.join(", ")}. ${there === undefined ? "The HTML and JSON reports have everything." : `See ${there}.`}`;
}

const PLURALS: Readonly<Record<string, string>> = { "list of properties": "lists of properties" };
