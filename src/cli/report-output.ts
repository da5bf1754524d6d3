import { spawnSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { InvalidArgumentError, Option, type Command } from "commander";
import { FORGES, type ForgeName } from "../report/forge";
import { DEFAULT_APPROVAL, DEFAULT_FAIL_ON, GATE_KINDS, type GateOptions } from "../report/gate";
import { renderHtml } from "../report/html";
import { renderJson } from "../report/json";
import type { Source } from "../report/links";
import { renderMarkdown } from "../report/markdown";
import type { GateKind, Report } from "../report/report";

/** Options of every verb that writes a report. */
export interface ReportArgs {
  readonly format: "md" | "html" | "json";
  readonly out?: string;
  readonly forge: ForgeName;
  readonly title?: string;
  readonly full?: string;
  readonly repository?: string;
  readonly commit?: string;
  readonly html?: string;
  readonly json?: string;
  readonly summary?: string;
  readonly failOn: readonly GateKind[];
  readonly approval: string;
  readonly approved: readonly string[];
  readonly maxDeletes?: number;
  readonly maxReplaces?: number;
  readonly maxHosts?: number;
}

/** Exit code where the gate stops the change; the report is written all the same. */
const STOPPED = 4;

export function reportOptions(command: Command): Command {
  return command
    .optionsGroup("The report:")
    .addOption(
      new Option("--format <format>", "of --out or standard output").choices(["md", "html", "json"]).default("md"),
    )
    .option("--out <file>", "where the report goes (default: standard output)")
    .option("--html <file>", "write the whole report as a page as well")
    .option("--json <file>", "write the whole report as JSON as well")
    .option("--summary <file>", "append the report as long as GitHub's step summary may be: $GITHUB_STEP_SUMMARY")
    .addOption(
      new Option("--forge <name>", "whose limit of a comment Markdown keeps to").choices([...FORGES]).default("github"),
    )
    .option("--title <text>", "tells several reports of one change apart")
    .option("--full <url>", "where the whole report can be seen; linked where Markdown has no room")
    .option("--repository <url>", "the repository's page; with --commit, places in the program become links")
    .option("--commit <id>", "the commit that is previewed")
    .optionsGroup("The gate:")
    .addOption(
      new Option("--fail-on <kinds>", `what stops the change: none, or some of ${GATE_KINDS.join(",")}`)
        .argParser(kinds)
        .default(DEFAULT_FAIL_ON, DEFAULT_FAIL_ON.join(",")),
    )
    .option("--approval <label>", "the label or token that lets destructive changes pass", DEFAULT_APPROVAL)
    .addOption(
      new Option("--approved <labels>", "labels or tokens this change carries, by commas; may be repeated")
        .argParser((text: string, all: readonly string[]) => [...all, ...text.split(",").map((each) => each.trim())])
        .default([], "none"),
    )
    .option("--max-deletes <count>", "more deletions stop the change", whole)
    .option("--max-replaces <count>", "more replacements stop the change", whole)
    .option("--max-hosts <count>", "more hosts visited stop the change", whole);
}

export function gateOptions({
  failOn,
  approval,
  approved,
  maxDeletes,
  maxReplaces,
  maxHosts,
}: ReportArgs): GateOptions {
  return { failOn, approval, approvals: approved, maxDeletes, maxReplaces, maxHosts };
}

/** Writes the report in every form that was asked for, and sets the exit code by its gate. */
export function writeReport(report: Report, args: ReportArgs & { readonly source: Source | undefined }): void {
  const { format, out, html, json, summary, source } = args;
  const page = (): string => renderHtml(report, args);
  const markdown = (forge: ForgeName): string => renderMarkdown(report, { ...args, source, forge }).text;
  const text = { md: () => markdown(args.forge), html: page, json: () => renderJson(report) }[format]();
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
  if (html !== undefined) writeFileSync(html, page());
  if (json !== undefined) writeFileSync(json, renderJson(report));
  if (summary !== undefined) appendFileSync(summary, markdown("github-summary"));
  if (report.gate.pass) return;
  const reasons = report.gate.reasons.filter(({ approved }) => !approved).map(({ text: why }) => why.toJSON());
  console.error(`gofleet: stopped: ${reasons.map(oneLine).join("; ")}`);
  process.exitCode = STOPPED;
}

/** Where the program's files can be seen; undefined without repository or commit. */
export function sourceOf({ repository, commit }: ReportArgs, project: string): Source | undefined {
  if (repository === undefined || commit === undefined) return undefined;
  const { status, stdout } = spawnSync("git", ["rev-parse", "--show-prefix"], { cwd: project, encoding: "utf8" });
  const directory = status === 0 ? stdout.trim().replace(/\/$/, "") : "";
  return { repository, commit, ...(directory === "" ? {} : { directory }) };
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
}

function kinds(text: string): GateKind[] {
  if (text === "none" || text === "") return [];
  return text.split(",").map((each) => {
    const kind = GATE_KINDS.find((known) => known === each.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`"${each}"; wanted none, or some of ${GATE_KINDS.join(", ")}.`);
    return kind;
  });
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Wanted a whole number.");
  return Number(text);
}
