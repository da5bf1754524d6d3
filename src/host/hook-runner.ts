import { quote } from "../render/shell";
import type { Answer } from "./host-session";
import { text } from "./agent-output";
import { REAL_CLOCK } from "./gates/clock";
import { fetchFailure } from "./gates/request";
import { hookEnvironment, type Hook, type HookEvidence } from "./hooks";
import { runOnOperator } from "./operator-command";
import type { Entries } from "./upload";

const OUTPUT_SHOWN = 400;

/** Runs one hook; throws with what it printed if it fails or takes too long. `onHost` runs a script there. */
export async function runHook(
  hook: Hook,
  evidence: HookEvidence,
  onHost: (entries: Entries) => Promise<Answer>,
): Promise<void> {
  switch (hook.on) {
    case "operator":
      return runHere(hook, evidence);
    case "http":
      return post(hook, evidence);
    case "host":
      return runThere(hook, evidence, onHost);
  }
}

async function runHere({ command = [], timeout }: Hook, evidence: HookEvidence): Promise<void> {
  const { code, output } = await runOnOperator({
    command,
    environment: hookEnvironment(evidence),
    timeout,
    clock: REAL_CLOCK,
  });
  if (code === undefined) throw new Error(`took longer than ${timeout} s${output === "" ? "" : `: ${shown(output)}`}`);
  if (code !== 0) throw new Error(shown(output) || (typeof code === "number" ? `ended with ${code}` : code));
}

async function post({ url = "", timeout }: Hook, evidence: HookEvidence): Promise<void> {
  const { host } = new URL(url);
  const late = AbortSignal.timeout(timeout * 1000);
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(evidence),
      signal: late,
    });
  } catch (error) {
    throw new Error(`${host}: ${late.aborted ? `no answer within ${timeout} s` : fetchFailure(error)}`);
  }
  // Nobody reads what it says.
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${host} answered ${response.status}`);
}

async function runThere(
  { command = [] }: Hook,
  evidence: HookEvidence,
  onHost: (entries: Entries) => Promise<Answer>,
): Promise<void> {
  const environment = Object.entries(hookEnvironment(evidence)).map(
    ([key, value]) => `export ${key}=${quote(value)}\n`,
  );
  const script = `${environment.join("")}exec ${command.map(quote).join(" ")}\n`;
  const { result } = await onHost(new Map([["hook", script]]));
  if (result.rc !== 0) throw new Error(shown(text({ ev: "result", msg: result.msg }, "msg")));
}

function shown(output: string): string {
  const line = output.trim().replace(/\s+/g, " ");
  return line.length > OUTPUT_SHOWN ? `…${line.slice(-OUTPUT_SHOWN)}` : line;
}
