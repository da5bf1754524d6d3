#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { adoptCommand } from "./adopt";
import { diffCommand } from "./diff";
import { driftCommand } from "./drift";
import { lockCommand } from "./lock";
import { mirrorCommand } from "./mirror";
import { postCommand } from "./post";
import { previewCommand } from "./preview";
import { releasesCommand } from "./releases";
import { renderCommand } from "./render";
import { rollbackCommand } from "./rollback";
import { snapshotsCommand } from "./snapshots";

/** Exit code of a command line that makes no sense; 1 is for work that could not be done. */
const USAGE = 2;

/** A list of verbs is a list of names; what each takes is in its own help. */
const HELP = { subcommandTerm: (command: Command): string => command.name() };

/** The `gofleet` command line; each verb is a file of its own. */
function gofleet(): Command {
  return new Command("gofleet")
    .description("Go build fleets: exact versions, plans, drift, previews and rollback")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .configureHelp(HELP)
    .showHelpAfterError("(gofleet --help lists what there is)")
    .exitOverride()
    .commandsGroup("What goes on hosts:")
    .addCommand(inherit(lockCommand()))
    .addCommand(inherit(renderCommand()))
    .addCommand(inherit(mirrorCommand()))
    .commandsGroup("Reviewing a change:")
    .addCommand(inherit(previewCommand()))
    .addCommand(inherit(diffCommand()))
    .addCommand(inherit(postCommand()))
    .commandsGroup("Looking at hosts:")
    .addCommand(inherit(adoptCommand()))
    .addCommand(inherit(driftCommand()))
    .addCommand(inherit(releasesCommand()))
    .commandsGroup("Going back:")
    .addCommand(inherit(rollbackCommand()))
    .addCommand(inherit(snapshotsCommand()));
}

/** Sub-commands made apart do not take over how errors end the program. */
function inherit(command: Command): Command {
  return command
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .configureHelp(HELP)
    .showHelpAfterError(`(gofleet ${command.name()} --help says more)`)
    .exitOverride();
}

function version(): string {
  const text = readFileSync(join(__dirname, "..", "..", "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

async function main(): Promise<number> {
  try {
    await gofleet().parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has printed its own errors, and ends --help and --version this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    // Errors that are meant for a person are plain; a TypeError and its like are a fault of ours and show their stack.
    const meant = error instanceof Error && (error.constructor === Error || "code" in error);
    console.error(meant ? `gofleet: ${error.message}` : error);
    return 1;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
