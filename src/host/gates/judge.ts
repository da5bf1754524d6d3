import type { Gate } from "../../model/gates";
import { messageOf } from "../../model/thrown";
import { waitForApproval } from "./approval";
import type { Clock } from "./clock";
import { runCommandGate } from "./command";
import { GateFailure, GateStopped, type GateRun, type GateWave } from "./gate-run";
import { watchHttp } from "./http";
import { watchPrometheus } from "./prometheus";

export interface JudgeOptions {
  readonly wave: GateWave;
  readonly clock: Clock;
  /** Ends all gates at once, without a verdict. */
  readonly signal: AbortSignal;
  /** Tokens and passwords by gate. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What all gates at work see, for the resource's row. */
  readonly status: (text: string) => void;
  readonly info: (text: string) => void;
}

/** Gates that are asked after a wave. */
export function dueGates(
  gates: readonly Gate[],
  { first, last }: { readonly first: boolean; readonly last: boolean },
): Gate[] {
  return gates.filter(({ after }) => after === "each" || (after === "canary" && first) || (after === "last" && last));
}

/**
 * Asks the gates side by side, and for approvals once all others have passed: a person decides with the results at hand.
 * Throws what the first that failed has seen; the others are ended then.
 */
export async function judge(gates: readonly Gate[], options: JudgeOptions): Promise<void> {
  await sideBySide(
    gates.filter(({ kind }) => kind !== "approval"),
    options,
  );
  await sideBySide(
    gates.filter(({ kind }) => kind === "approval"),
    options,
  );
}

async function sideBySide(gates: readonly Gate[], options: JudgeOptions): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const seen = new Map<string, string>();
  const say = (name: string, text: string): void => {
    seen.set(name, text);
    options.status([...seen].map(([each, what]) => `gate ${each}: ${what}`).join(" · "));
  };
  const unjudged: string[] = [];
  let failure: Error | undefined;
  await Promise.all(
    gates.map(async (gate) => {
      const { name } = gate;
      const { wave, clock, info, secrets } = options;
      const run: GateRun = { wave, clock, signal, secret: secrets[name], status: (text) => say(name, text), info };
      try {
        say(name, await runGate(gate, run));
      } catch (error) {
        if (error instanceof GateStopped) unjudged.push(name);
        else failure ??= new GateFailure(`gate ${name} failed ${after(wave)}: ${messageOf(error)}`);
        stop.abort();
      }
    }),
  );
  if (failure !== undefined) throw failure;
  if (unjudged.length > 0) throw new GateStopped(`not judged: ${unjudged.join(", ")}`);
}

/** Hosts named in an error. */
const NAMED = 8;

function after({ number, of, hosts }: GateWave): string {
  const keys = hosts.map(({ key }) => key);
  const more = keys.length > NAMED ? ` and ${keys.length - NAMED} more` : "";
  return `after wave ${number} of ${of} (${keys.slice(0, NAMED).join(", ")}${more})`;
}

function runGate(gate: Gate, run: GateRun): Promise<string> {
  switch (gate.kind) {
    case "http":
      return watchHttp(gate, run);
    case "prometheus":
      return watchPrometheus(gate, run);
    case "command":
      return runCommandGate(gate, run);
    case "approval":
      return waitForApproval(gate, run);
  }
}
