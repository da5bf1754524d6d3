import { Command } from "commander";
import { text } from "../host/agent-output";
import { releaseEntries } from "../host/upload";
import { manifest } from "../plan/manifest";
import { askHosts, type Asked } from "./hosts";
import { programOptions, type ProgramArgs } from "./program-options";
import { runProgram } from "./program";

/** `gofleet adopt`: what a first `pulumi up` would set aside on a host; it changes nothing. */
export function adoptCommand(): Command {
  const command = new Command("adopt")
    .summary("show what a first update would displace on hosts")
    .description(
      "Reads the hosts of a program and prints what stands now at each path a component would take. Nothing is changed. " +
        "Then: leave it, and it is kept aside and given back at destroy where `adopt` and `replaces` allow it; or move it " +
        "first. A sudo password is read from GOFLEET_SUDO_PASSWORD.",
    )
    .argument("[hosts...]", "keys of hosts (default: all)");
  return programOptions(command).action(adopt);
}

async function adopt(keys: readonly string[], args: ProgramArgs): Promise<void> {
  const asked = await askHosts(await runProgram(args), keys, "adoption", ({ plan }) =>
    releaseEntries(plan, manifest(plan), new Map()),
  );
  for (const each of asked) console.log(report(each).join("\n"));
  if (asked.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

function report({ release, host, answer, error }: Asked): string[] {
  const title = `${release.component} on ${host}`;
  if (error !== undefined) return [`${title}: ${error.message}`];
  const { result, events } = answer ?? { result: undefined, events: [] };
  if (result !== undefined && result.rc !== 0) return [`${title}: ${result.msg}`];
  const standing = events.filter((event) => event.ev === "stands" && !["absent", "ours"].includes(text(event, "kind")));
  if (standing.length === 0) return [`${title}: nothing in the way`];
  const width = Math.max(...standing.map((event) => text(event, "path").length));
  return [
    `${title}:`,
    ...standing.map(
      (event) =>
        `  ${text(event, "path").padEnd(width)}  ${text(event, "kind")}${text(event, "msg") === "" ? "" : `, ${text(event, "msg")}`}`,
    ),
  ];
}
