import { spawn } from "node:child_process";
import type { Clock } from "./gates/clock";

const OUTPUT_KEPT = 4096;
/** Seconds from the request to end until the end. */
const GRACE = 5;
/** Seconds for what a program left in its pipes, once it has ended itself. */
const REST = 0.5;
const TICK = 1;

export interface OperatorCommand {
  readonly command: readonly string[];
  /** What it is told besides the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly timeout: number;
  readonly clock: Clock;
  /** Ends it at once. */
  readonly stop?: AbortSignal;
  /** Told each second: its last line so far, and the seconds it still has. */
  readonly look?: (lastLine: string, seconds: number) => void;
}

export interface CommandEnd {
  /** How it ended by itself: an exit code, or why there is none; undefined where it was ended from here. */
  readonly code: number | string | undefined;
  /** The end of what it printed. */
  readonly output: string;
}

/**
 * Runs a command on the operator's machine, and ends it with its children when its time is over. It is over when the program
 * itself has ended: what it leaves behind with its output open, such as the connection that `ssh` shares (ControlPersist),
 * holds up nothing.
 */
export async function runOnOperator(options: OperatorCommand): Promise<CommandEnd> {
  const { environment, timeout, clock, stop, look } = options;
  const [program = "", ...args] = options.command;
  let output = "";
  // A process group of its own: Ctrl-C at the terminal is the engine's, and the command's children end with it.
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString("utf8")).slice(-OUTPUT_KEPT));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new AbortController();
  const finished = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, killed) => resolve(code ?? String(killed)));
    child.once("exit", (code, killed) => setTimeout(() => resolve(code ?? String(killed)), REST * 1000));
  }).finally(() => ended.abort());
  const either = stop === undefined ? ended.signal : AbortSignal.any([stop, ended.signal]);
  const end = clock.now() + timeout * 1000;
  for (let seconds = timeout; !either.aborted && seconds > 0; seconds = (end - clock.now()) / 1000) {
    look?.(output.trimEnd().split("\n").at(-1) ?? "", seconds);
    await clock.sleep(Math.min(TICK, seconds), either);
  }
  const byItself = ended.signal.aborted;
  if (!byItself) await endGroup(child.pid, finished);
  const code = await finished;
  // Whoever still has the other ends must not keep this process.
  child.stdout.destroy();
  child.stderr.destroy();
  return { code: byItself ? code : undefined, output };
}

/** Asks the group to end, and ends it. */
async function endGroup(pid: number | undefined, finished: Promise<unknown>): Promise<void> {
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  };
  signalGroup("SIGTERM");
  const force = setTimeout(() => signalGroup("SIGKILL"), GRACE * 1000);
  await finished;
  clearTimeout(force);
}
