import { Command } from "commander";
import { createTwoFilesPatch } from "diff";
import { text, type AgentEvent } from "../host/agent-output";
import { askHosts, type Asked } from "./hosts";
import { programOptions, type ProgramArgs } from "./program-options";
import { runProgram } from "./program";

interface DriftArgs extends ProgramArgs {
  readonly show?: boolean;
}

/** Exit code when a host differs, or could not be asked. */
const DRIFT = 3;

/** `gofleet drift`: what was changed by hand, read from the hosts now; the text never passes through the state. */
export function driftCommand(): Command {
  const command = new Command("drift")
    .summary("read what was changed by hand on the hosts")
    .description(
      "Reads the hosts of a program and names every path that is not as its release put it. With --show the differing " +
        `text is printed as a diff, on this terminal only. Exit code ${DRIFT} if anything differs. A sudo password is ` +
        "read from GOFLEET_SUDO_PASSWORD.",
    )
    .argument("[hosts...]", "keys of hosts (default: all)")
    .option("--show", "print the text that differs");
  return programOptions(command).action(drift);
}

async function drift(keys: readonly string[], { show = false, ...args }: DriftArgs): Promise<void> {
  const asked = await askHosts(await runProgram(args), keys, "read", () => new Map());
  const reports = asked.map((each) => report(each, show));
  for (const { lines } of reports) console.log(lines.join("\n"));
  if (reports.some(({ differs }) => differs)) process.exitCode = DRIFT;
}

function report({ release, host, answer, error }: Asked, show: boolean): { lines: string[]; differs: boolean } {
  const title = `${release.component} on ${host}`;
  if (error !== undefined) return { lines: [`${title}: ${error.message}`], differs: true };
  const { result, events } = answer ?? { result: undefined, events: [] };
  if (result?.status === "absent") return { lines: [`${title}: not installed`], differs: true };
  const changes = events.filter(({ ev }) => ev === "drift");
  const failed = events.filter((event) => event.ev === "unit" && text(event, "active") === "failed");
  const lines = [
    ...changes.flatMap((event) => changed(event, release.plan.files, show)),
    ...failed.map((event) => `  ${text(event, "unit")}  failed`),
  ];
  return lines.length === 0
    ? { lines: [`${title}: as its release ${result?.current ?? ""} put it`], differs: false }
    : { lines: [`${title}:`, ...lines], differs: true };
}

function changed(event: AgentEvent, files: readonly { path: string; text: string }[], show: boolean): string[] {
  const path = text(event, "path");
  const detail = text(event, "msg");
  const line = `  ${path}  ${text(event, "kind")}${detail === "" ? "" : `: ${detail}`}`;
  const wanted = files.find((file) => file.path === path)?.text;
  const found = event["text"];
  if (!show || wanted === undefined || typeof found !== "string") return [line];
  const now = Buffer.from(found, "base64").toString("utf8");
  const patch = createTwoFilesPatch(path, path, wanted, now, "the program's", "the host's").split("\n").slice(1);
  return [line, ...patch.map((each) => `    ${printable(each)}`)];
}

/** A host's text must not steer the terminal it is shown on. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === "\t" ? character : "\uFFFD"));
}
