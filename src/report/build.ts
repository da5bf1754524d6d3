import type { Diagnostic, Operation, Preview, StackPreview } from "./change";
import { fold, type Component, type Folded } from "./component";
import { detailsOf } from "./details";
import { decide, type GateOptions } from "./gate";
import { meaning } from "./meaning";
import { tellsPin } from "./pinned";
import { saysNothing } from "./read-events";
import type { Counts, Level, Report, Risk, StackSummary } from "./report";
import { risksOf, sorted } from "./risks";
import { differ } from "./text-diff";
import { nameOf } from "./urn";
import { counted, joined, own, words, type Words } from "./words";

export interface BuildOptions {
  readonly gate?: GateOptions;
}

/** Makes the report of a preview. */
export function buildReport(preview: Preview, { gate }: BuildOptions = {}): Report {
  const stacks = preview.stacks.map(ordered);
  const diff = differ();
  const folded = stacks.map((stack) => ({ stack, ...fold(stack, diff) }));
  const all = folded.flatMap(({ changed }) => changed);
  const risks = sorted(folded.flatMap((each) => risksOf(each.stack, each.changed)));
  const summaries = folded.map((each) => summary(each.stack, each));
  const verdict = { ...verdictOf(summaries, risks, all), counts: total(summaries) };
  const places = new Map(
    all.flatMap((each) => [each.root, ...each.children].map(({ urn }) => [urn, each.root.position])),
  );
  const row =
    (stack: string) =>
    <T extends { readonly urn?: string }>(each: T) => {
      const position = places.get(each.urn ?? "");
      const resource = each.urn === undefined ? {} : { resource: nameOf(each.urn) };
      return { stack, ...each, ...resource, ...(position === undefined ? {} : { position }) };
    };
  return {
    version: 1,
    verdict,
    gate: decide({ risks, verdict }, gate),
    stacks: summaries,
    risks,
    components: all.map(meaning),
    policies: stacks.flatMap(({ stack, policies }) => policies.map(row(stack))),
    diagnostics: stacks.flatMap(({ stack, diagnostics, complete }) => told(diagnostics, complete).map(row(stack))),
    details: detailsOf(all),
  };
}

/** The engine's word on where a launcher is that this package put there. */
const LAUNCHER = /^using pulumi-[\w-]+ from \$PATH at /;

/** Each message once, without what tells a reader nothing. */
function told(diagnostics: readonly Diagnostic[], complete: boolean): Diagnostic[] {
  const unique = new Map(diagnostics.map((each) => [`${each.severity} ${each.message}`, each]));
  const found = [...unique.values()].filter(
    (each) => each.severity !== "info" && !LAUNCHER.test(each.message) && !tellsPin(each),
  );
  const telling = found.filter(({ message }) => !saysNothing(message));
  return telling.length > 0 || complete ? telling : found;
}

/** In an order of our own: the engine works on many resources at once, and its order changes from run to run. */
function ordered(stack: StackPreview): StackPreview {
  const by = <T>(items: readonly T[], key: (item: T) => string): T[] =>
    items
      .map((item) => [key(item), item] as const)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, item]) => item);
  // Our own components before resources of other packages.
  const rank = ({ type }: { readonly type: string }): number => (type.startsWith("gofleet:") ? 0 : 1);
  return {
    ...stack,
    resources: by(stack.resources, (each) => JSON.stringify([rank(each), each.name, each.urn])),
    refreshed: by(stack.refreshed, ({ urn }) => urn),
    policies: by(stack.policies, ({ policy, urn, message }) => JSON.stringify([policy, urn, message])),
  };
}

/** Components by operation, a component with all that belongs to it as one; resources outside of any count as well. */
function summary({ project, stack, packs, complete }: StackPreview, { changed, unchanged }: Folded): StackSummary {
  const count = (...ops: readonly Operation[]): number => changed.filter(({ op }) => ops.includes(op)).length;
  const counts = {
    create: count("create", "import"),
    update: count("update"),
    replace: count("replace"),
    delete: count("delete"),
    same: unchanged,
  };
  return { project, stack, counts, packs, complete };
}

function total(summaries: readonly StackSummary[]): Counts {
  const sum = (key: keyof Counts): number => summaries.reduce((all, { counts }) => all + counts[key], 0);
  return {
    create: sum("create"),
    update: sum("update"),
    replace: sum("replace"),
    delete: sum("delete"),
    same: sum("same"),
  };
}

function verdictOf(
  summaries: readonly StackSummary[],
  risks: readonly Risk[],
  all: readonly Component[],
): { level: Level; title: Words; hosts: number } {
  const counts = total(summaries);
  const changed = counts.create + counts.update + counts.replace + counts.delete;
  const visited = all.flatMap(({ releases }) =>
    releases.flatMap(({ resource, change }) => change.visited.map((host) => address(resource, host))),
  );
  const hosts = new Set(visited).size;
  const violated = risks.filter(({ kind }) => kind === "policy").length;
  const level: Level = risks.some(({ kind }) => kind === "failure")
    ? "failed"
    : risks.some((risk) => risk.level === "danger")
      ? "danger"
      : risks.some((risk) => risk.level === "attention")
        ? "attention"
        : changed > 0
          ? "change"
          : "none";
  return { level, title: title(level, counts, hosts, violated), hosts };
}

/** What tells hosts of several pools and stacks apart: the line that reaches them. */
function address({ oldInputs, newInputs }: Component["root"], host: string): string {
  const line = [newInputs, oldInputs].map(({ hosts }) => (hosts as Record<string, unknown> | undefined)?.[host]);
  return String(line[0] ?? line[1] ?? host);
}

function title(level: Level, counts: Counts, hosts: number, violated: number): Words {
  const parts = [
    ...(level === "failed" ? [own("the preview failed")] : []),
    ...(violated > 0 ? [words`${counted(violated, "policy", "policies")} violated`] : []),
    ...(counts.replace > 0 ? [counted(counts.replace, "replacement")] : []),
    ...(counts.delete > 0 ? [counted(counts.delete, "deletion")] : []),
    ...(counts.update > 0 ? [counted(counts.update, "update")] : []),
    ...(counts.create > 0 ? [own(`${counts.create} new`)] : []),
    ...(hosts > 0 ? [counted(hosts, "host")] : []),
  ];
  const nothing = level === "none" ? "nothing changes" : "nothing changes, something is to look at";
  return parts.length === 0 ? own(nothing) : joined(parts, ", ");
}
