import { spawn } from "node:child_process";
import { basename } from "node:path";

/** How a command is run: everything is explicit, so that a test can run the finder in a made-up environment. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds after which the command is ended; default: none. */
  readonly timeout?: number;
  /** Called for each line on stderr, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A command that could not be started, failed, or took too long; `message` ends with the last lines it printed. */
export class CommandFailed extends Error {}

const SHOWN_LINES = 6;

/**
 * Runs a command to its end and returns its stdout.
 *
 * @throws {CommandFailed} with the command's name and the last lines of its output.
 */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const { cwd, env, timeout, signal } = options;
    signal?.throwIfAborted();
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let late = false;
    // Not spawn's own time limit: its timer outlives a command that could not be started.
    const timer = timeout && setTimeout(() => (late = child.kill()), timeout);
    const stop = () => child.kill();
    signal?.addEventListener("abort", stop);
    let stdout = "";
    const errors: string[] = [];
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split(/[\r\n]+/);
      rest = lines.pop() ?? "";
      for (const line of lines.filter((each) => each.trim() !== "")) {
        errors.push(line);
        if (errors.length > SHOWN_LINES) errors.shift();
        options.onLine?.(line);
      }
    });
    const settle = (why: string | undefined) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      if (why === undefined) return resolve(stdout);
      const said = [...errors, rest].filter((line) => line.trim() !== "");
      reject(
        new CommandFailed(
          [`${[command, ...args.slice(0, 1)].map((each) => basename(each)).join(" ")}: ${why}`, ...said].join("\n  "),
        ),
      );
    };
    child.on("error", (error) => settle(error.message));
    child.on("close", (code, ending) => {
      if (late) settle(`took longer than ${(timeout ?? 0) / 1000} s`);
      else if (ending) settle(`ended by ${ending}`);
      else settle(code === 0 ? undefined : `exit code ${code}`);
    });
  });
}
