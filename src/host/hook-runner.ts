import { execFile } from "node:child_process";
import { quote } from "../render/shell";
import type { Answer } from "./host-session";
import { text } from "./agent-output";
import { hookEnvironment, type Hook, type HookEvidence } from "./hooks";
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

function runHere({ command = [], timeout }: Hook, evidence: HookEvidence): Promise<void> {
  const [program = "", ...args] = command;
  const env = { ...process.env, ...hookEnvironment(evidence) };
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, timeout: timeout * 1000 }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else
        reject(
          new Error(
            error.killed === true ? `took longer than ${timeout} s` : shown(`${stdout}${stderr}` || error.message),
          ),
        );
    });
  });
}

async function post({ url = "", timeout }: Hook, evidence: HookEvidence): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(evidence),
    signal: AbortSignal.timeout(timeout * 1000),
  });
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
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
