import { Option, type Command } from "commander";

/** Which program a verb runs, and how. */
export interface ProgramArgs {
  readonly project: string;
  readonly stack: string;
  readonly config: readonly string[];
}

/** Collects what an option that may be repeated was given. */
export const several = (entry: string, all: readonly string[]): string[] => [...all, entry];

/** The options every verb takes that runs a program. */
export function programOptions(command: Command): Command {
  return command
    .option("--project <folder>", "the Pulumi project", ".")
    .option("--stack <name>", "the stack's name, as the program sees it", "dev")
    .addOption(
      new Option("--config <key=value>", "stack configuration; may be repeated").argParser(several).default([], "none"),
    );
}
