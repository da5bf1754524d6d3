import type { CommandGate } from "../../model/gates";
import { runOnOperator } from "../operator-command";
import { left } from "./clock";
import { GateFailure, shown, shownEnd, throwIfStopped, type GateRun, type GateWave } from "./gate-run";

/** Runs the command once; passes when it ends with 0. */
export async function runCommandGate(gate: CommandGate, run: GateRun): Promise<string> {
  const { code, output } = await runGateCommand(gate.name, gate.command, gate.timeout, run);
  if (code !== 0) throw new GateFailure(`${gate.command[0]} ended with ${code}: ${shownEnd(output) || "no output"}`);
  return `${gate.command[0]} passed`;
}

/** Runs a command with the wave in its environment, shows its last line, and ends it when the gate is stopped. */
export async function runGateCommand(
  name: string,
  command: readonly string[],
  timeout: number,
  run: GateRun,
): Promise<{ readonly code: number; readonly output: string }> {
  const { code, output } = await runOnOperator({
    command,
    environment: environment(name, run.wave),
    timeout,
    clock: run.clock,
    stop: run.signal,
    look: (lastLine, seconds) => run.status(`${shown(lastLine, 80) || "running"}, ${left(seconds)}`),
  });
  throwIfStopped(run);
  const printed = shownEnd(output) || "no output";
  if (code === undefined) throw new GateFailure(`${command[0]} took longer than ${timeout} s: ${printed}`);
  if (typeof code === "string") throw new GateFailure(`${command[0]}: ${code}: ${printed}`);
  return { code, output };
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
