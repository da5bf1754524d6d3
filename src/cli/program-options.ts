import type { Command } from "commander";

/** Which program a verb runs, and how. */
export interface ProgramArgs {
  readonly project: string;
  readonly stack: string;
  readonly config: readonly string[];
}

/** The options every verb takes that runs a program. */
export function programOptions(command: Command): Command {
  return command
    .option("--project <folder>", "the Pulumi project", ".")
    .option("--stack <name>", "the stack's name, as the program sees it", "dev")
    .option(
      "--config <key=value>",
      "stack configuration; may be repeated",
      (entry: string, all: string[]) => [...all, entry],
      [],
    );
}
