import { spawn } from "node:child_process";
import type { CommandGate } from "../../model/gates";
import { left } from "./clock";
import { GateFailure, shown, shownEnd, throwIfStopped, type GateRun, type GateWave } from "./gate-run";

const OUTPUT_KEPT = 4096;
/** Seconds from the request to end until the end. */
const GRACE = 5;
const TICK = 1;

/** Runs the command once; passes when it ends with 0. */
export async function runCommandGate(gate: CommandGate, run: GateRun): Promise<string> {
  const { code, output } = await runGateCommand(gate.name, gate.command, gate.timeout, run);
  if (code !== 0) throw new GateFailure(`${gate.command[0]} ended with ${code}: ${shownEnd(output) || "no output"}`);
  return `${gate.command[0]} passed`;
}

/** Runs a command with the wave in its environment, shows its last line, and ends it when the gate is stopped. */
export async function runGateCommand(
  name: string,
  [program = "", ...args]: readonly string[],
  timeout: number,
  run: GateRun,
): Promise<{ readonly code: number; readonly output: string }> {
  const { clock, signal } = run;
  let output = "";
  // A process group of its own: Ctrl-C at the terminal is the engine's, and the command's children end with it.
  const child = spawn(program, args, {
    env: { ...process.env, ...environment(name, run.wave) },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = new AbortController();
  const finished = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, killed) => resolve(code ?? String(killed)));
  }).finally(() => ended.abort());
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString("utf8")).slice(-OUTPUT_KEPT));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const either = AbortSignal.any([signal, ended.signal]);
  const end = clock.now() + timeout * 1000;
  for (let seconds = timeout; !either.aborted && seconds > 0; seconds = (end - clock.now()) / 1000) {
    run.status(`${shown(lastLine(output), 80) || "running"}, ${left(seconds)}`);
    await clock.sleep(Math.min(TICK, seconds), either);
  }
  const late = !either.aborted;
  if (!ended.signal.aborted) await endGroup(child.pid, finished);
  throwIfStopped(run);
  if (late) throw new GateFailure(`${program} took longer than ${timeout} s: ${shownEnd(output) || "no output"}`);
  const code = await finished;
  if (typeof code === "string") throw new GateFailure(`${program}: ${code}: ${shownEnd(output) || "no output"}`);
  return { code, output };
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

/** What a command is told, as hooks are. */
function environment(name: string, { number, of, hosts, component, from, to }: GateWave): Record<string, string> {
  return {
    GOFLEET_GATE: name,
    GOFLEET_COMPONENT: component,
    GOFLEET_FROM: from,
    GOFLEET_TO: to,
    GOFLEET_WAVE: String(number),
    GOFLEET_WAVES: String(of),
    GOFLEET_HOSTS: hosts.map(({ key }) => key).join(" "),
    GOFLEET_ADDRESSES: hosts.map(({ address }) => address).join(" "),
  };
}

function lastLine(output: string): string {
  return output.trimEnd().split("\n").at(-1) ?? "";
}
