import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { enginePath, findEngine } from "../engine/find";
import { lockedReleases } from "../engine/locked";
import { buildReport } from "../report/build";
import { readPreview, type SavedFile } from "../report/read-preview";
import { look } from "./look";
import { runEngine } from "./preview-run";
import { several } from "./program-options";
import { gateOptions, reportOptions, sourceOf, writeReport, type ReportArgs } from "./report-output";
import { withSourceLines } from "./source-lines";

interface PreviewArgs extends ReportArgs {
  readonly project: string;
  readonly stack: readonly string[];
  readonly events: readonly string[];
  readonly refresh?: boolean;
  readonly savePlan?: string;
  readonly look?: boolean;
  readonly lowDisk: number;
}

/** `gofleet preview`: what a preview means, as a report for people, and a verdict for machines. */
export function previewCommand(): Command {
  const command = new Command("preview")
    .summary("report what a preview would change, for a review")
    .description(
      "Runs `pulumi preview` for each stack, or reads what it saved, and writes one report: the meaning per component, " +
        "risks first, policy results, and every difference once. Secrets are never in it. What follows -- goes to " +
        "`pulumi preview` as it is, such as --policy-pack or --target.",
    )
    .optionsGroup("What is previewed:")
    .usage("[options] [-- options of `pulumi preview`]")
    .argument("[engine...]", "after --: options of `pulumi preview`")
    .option("--project <folder>", "the Pulumi project", ".")
    .addOption(
      new Option("--stack <name>", "a stack to preview; may be repeated")
        .argParser(several)
        .default([], "the selected one"),
    )
    .option("--refresh", "let the engine read the hosts first, so that drift shows")
    .option("--look", "log in to the hosts that would be visited: do they answer, and is there room on their disks")
    .addOption(
      new Option("--low-disk <share>", "with --look: less of a disk's bytes or inodes free is a risk")
        .argParser(share)
        .default(0.1, '"10 %"'),
    )
    .option("--save-plan <file>", "save the engine's plan, for `pulumi up --plan`; one stack only")
    .addOption(
      new Option("--events <file>", "report saved previews, no engine: events or digests as JSON; may be repeated")
        .argParser(several)
        .default([], "none")
        // A saved file may come from anywhere, and may name any host to log in to.
        .conflicts(["refresh", "savePlan", "look"]),
    );
  return reportOptions(command).action(preview);
}

async function preview(engine: readonly string[], args: PreviewArgs): Promise<void> {
  if (args.savePlan !== undefined && args.stack.length > 1) {
    throw new Error(
      `--save-plan holds the plan of one stack, given ${args.stack.join(", ")}; run gofleet preview for each`,
    );
  }
  const files = args.events.length > 0 ? args.events.map(saved) : await run(engine, args);
  const found = withSourceLines(readPreview(files), resolve(args.project));
  const looked = args.look === true ? await look(found, resolve(args.project), args.lowDisk) : found;
  const report = buildReport(looked, { gate: gateOptions(args) });
  writeReport(report, { ...args, source: sourceOf(args, args.project) });
}

/** `10 %` or `10%` as 0.1. */
function share(text: string): number {
  const [, number] = /^(\d{1,3}(?:\.\d+)?) ?%$/.exec(text) ?? [];
  if (number === undefined || Number(number) > 100) throw new InvalidArgumentError('Wanted a share, such as "10 %".');
  return Number(number) / 100;
}

function saved(name: string): SavedFile {
  return { name, text: readFileSync(name, "utf8") };
}

async function run(
  engine: readonly string[],
  { project: folder, stack, refresh, savePlan }: PreviewArgs,
): Promise<SavedFile[]> {
  const project = resolve(folder);
  const progress = (text: string): void => console.error(`gofleet: ${text}`);
  const found = await findEngine({
    env: process.env,
    projectDir: project,
    progress,
    releases: lockedReleases(project),
  });
  const env = { ...process.env, PATH: enginePath(found, process.env["PATH"]) };
  const options = [...(refresh === true ? ["--refresh"] : []), ...engine];
  const plan = savePlan === undefined ? {} : { savePlan: resolve(savePlan) };
  const files: SavedFile[] = [];
  // One after the other: stacks of one project share its directory and, often, one lock of the backend.
  for (const name of stack.length === 0 ? [undefined] : stack) {
    progress(`previewing ${name ?? "the selected stack"}`);
    const each = {
      command: found.command,
      project,
      options,
      env,
      ...plan,
      ...(name === undefined ? {} : { stack: name }),
    };
    files.push(...(await runEngine(each)));
  }
  return files;
}
