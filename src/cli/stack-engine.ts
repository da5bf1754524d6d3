import { spawn } from "node:child_process";
import { resolve } from "node:path";
import type { Command } from "commander";
import { enginePath, findEngine } from "../engine/find";
import { lockedReleases } from "../engine/locked";
import { run } from "../engine/run";
import { messageOf } from "../model/thrown";

/** Which stack a verb works on. */
export interface StackArgs {
  readonly project: string;
  readonly stack?: string;
}

/** The options of every verb that works on a stack. */
export function stackOptions(command: Command): Command {
  return command
    .option("--project <folder>", "the Pulumi project", ".")
    .option("--stack <name>", "the stack (default: the selected one)");
}

/** A stack, by the engine's own command line: its backend, its secrets and its locks are the engine's. */
export interface EngineStack {
  readonly name: string;
  /** The Pulumi project's directory. */
  readonly project: string;
  /** What a `pulumi` command prints about the stack. */
  ask(...args: readonly string[]): Promise<string>;
  /** A `pulumi` command on this terminal; its exit code. */
  show(...args: readonly string[]): Promise<number>;
}

/**
 * Opens a stack.
 * @param variables of the engine's environment, beside those of this process
 * @throws Error where there is no engine, no project or no such stack, with what would do
 */
export async function openStack(
  { project: folder, stack }: StackArgs,
  variables: NodeJS.ProcessEnv = {},
): Promise<EngineStack> {
  const project = resolve(folder);
  const progress = (text: string): void => console.error(`gofleet: ${text}`);
  const engine = await meant(
    findEngine({ env: process.env, projectDir: project, progress, releases: lockedReleases(project) }),
  );
  const env = {
    ...process.env,
    ...variables,
    PATH: enginePath(engine, process.env["PATH"]),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const ask = (...args: readonly string[]): Promise<string> =>
    meant(run(engine.command, [...args, "--non-interactive", "--color", "never"], { cwd: project, env }));
  const selected = stack === undefined ? [] : ["--stack", stack];
  const shown = await ask("stack", "--show-name", ...selected).catch((error: Error) => {
    throw new Error(`${error.message}\n  → give the project by --project and the stack by --stack`);
  });
  const name = stack ?? shown.trim();
  return {
    name,
    project,
    ask: (...args) => ask(...args, "--stack", name),
    show: (...args) =>
      new Promise((settle, reject) => {
        const child = spawn(engine.command, [...args, "--stack", name], { cwd: project, env, stdio: "inherit" });
        child.on("error", reject);
        child.on("close", (code) => settle(code ?? 1));
      }),
  };
}

/** Errors of the engine's own classes as plain ones, which are for a person. */
async function meant<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(messageOf(error));
  }
}
