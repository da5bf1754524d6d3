import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";

/** What a command did. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Text or bytes for the command's standard input; without it the input is empty. */
  readonly input?: string | Buffer;
  /** Milliseconds until the command is killed, default 120 000. */
  readonly timeout?: number;
}

/** Runs a command to its end; a non-zero exit is a result, not an error. Killed by a signal or not started: code 255. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve) => {
    const settings = { timeout: options.timeout ?? 120_000, maxBuffer: 256 * 1024 * 1024 };
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
      resolve({ code, stdout, stderr: stderr || (error?.message ?? "") });
    });
    // A command that ends without reading its input is its own business: the exit code tells.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Runs a command that must succeed and returns its standard output. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new CommandError([command, ...args].join(" "), result);
  return result.stdout;
}

export class CommandError extends Error {
  constructor(
    readonly command: string,
    readonly result: Result,
  ) {
    super(`${command}: exit ${result.code}: ${(result.stderr || result.stdout).trim()}`);
    this.name = "CommandError";
  }
}

/** The path of one of the sh scripts beside this file. */
export function script(name: string): string {
  return join(__dirname, name);
}

/** Whether a command is on PATH. */
export function hasCommand(name: string): boolean {
  try {
    execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
