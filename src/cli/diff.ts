import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { messageOf } from "../model/thrown";
import { buildReport } from "../report/build";
import { compareReleases, releasesOf } from "./diff-releases";
import { checkOut } from "./diff-worktree";
import type { ProgramRelease } from "./program";
import { programOptions, type ProgramArgs } from "./program-options";
import { gateOptions, reportOptions, sourceOf, writeReport, type ReportArgs } from "./report-output";

/** `gofleet diff`: two states of a program rendered and compared, without engine and without credentials. */
export function diffCommand(): Command {
  const command = new Command("diff")
    .summary("report what changes on hosts since a commit; no engine, no credentials")
    .description(
      "Renders the program as it is at <ref> and as it is in the working tree, as `gofleet render` does, and reports the " +
        "difference. It reads no state and no host: good for a change from a fork, which gets no secrets. Packages are " +
        "those of the working tree on both sides.",
    )
    .argument("<ref>", "the commit, branch or tag to compare with");
  return reportOptions(programOptions(command)).action(diff);
}

async function diff(ref: string, args: ProgramArgs & ReportArgs): Promise<void> {
  const project = resolve(args.project);
  const old = checkOut(project, ref);
  try {
    // A project that is not there yet at that commit declares nothing.
    const before = existsSync(old.project) ? await rendered(args, old.project, ref) : [];
    const after = await rendered(args, project, "the working tree");
    const preview = compareReleases({ project: "", stack: args.stack }, before, after);
    const report = buildReport(preview, { gate: gateOptions(args) });
    writeReport(report, { ...args, source: sourceOf(args, project) });
  } finally {
    old.remove();
  }
}

async function rendered({ stack, config }: ProgramArgs, project: string, where: string): Promise<ProgramRelease[]> {
  try {
    return await releasesOf({ project, stack, config });
  } catch (error) {
    throw new Error(`the program at ${where}: ${messageOf(error)}`);
  }
}
