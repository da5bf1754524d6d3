import { readFile } from "node:fs/promises";
import type { ApprovalGate } from "../../model/gates";
import { left } from "./clock";
import { runGateCommand } from "./command";
import { authorization, GateFailure, shown, shownEnd, throwIfStopped, type GateRun, type GateWave } from "./gate-run";
import { request } from "./request";

/** For one look by a URL or a command, in seconds. */
const LOOK = 30;

type Word = { readonly kind: "approve" | "reject" | "none"; readonly text: string };

/** Waits for a person's word. */
export async function waitForApproval(gate: ApprovalGate, run: GateRun): Promise<string> {
  const { clock, signal } = run;
  const how = howTo(gate, run.wave);
  const end = clock.now() + gate.deadline * 1000;
  run.info(`gate ${gate.name} waits for approval: ${how}`);
  for (let seconds = gate.deadline; ; seconds = (end - clock.now()) / 1000) {
    const word = await wordOf(gate, run);
    throwIfStopped(run);
    if (word.kind === "approve") return "approved";
    if (word.kind === "reject") throw new GateFailure(`rejected${word.text === "" ? "" : `: ${word.text}`}`);
    if (seconds <= 0) throw new GateFailure(`nobody approved by the deadline${word.text && `; ${word.text}`}; ${how}`);
    run.status(`waits for approval (${how})${word.text && `; ${word.text}`}, ${left(seconds)}`);
    await clock.sleep(Math.min(gate.interval, seconds), signal);
    throwIfStopped(run);
  }
}

/** What a person does to approve. */
function howTo({ by }: ApprovalGate, wave: GateWave): string {
  if ("file" in by) return `echo approve > ${filled(by.file, wave)}`;
  if ("url" in by) return `${filled(by.url, wave, encodeURIComponent)} has to say approve`;
  return `${by.command[0]} has to end with 0`;
}

async function wordOf(gate: ApprovalGate, run: GateRun): Promise<Word> {
  const { by } = gate;
  if ("command" in by) {
    const { code, output } = await runGateCommand(gate.name, by.command, LOOK, { ...run, status: () => undefined });
    return { kind: code === 0 ? "approve" : code === 1 ? "none" : "reject", text: shownEnd(output) };
  }
  if ("file" in by) return parseWord(await textOf(filled(by.file, run.wave)));
  const url = filled(by.url, run.wave, encodeURIComponent);
  const reply = await request(url, { timeout: LOOK, headers: authorization(gate.auth, run.secret) }, run);
  if (reply.error !== undefined) return { kind: "none", text: reply.error };
  // Until somebody has said something there may be nothing at that address.
  if (reply.status === 200) return parseWord(reply.body);
  return { kind: "none", text: reply.status === 404 ? "" : `status ${reply.status}` };
}

function parseWord(text: string): Word {
  const [, word = "", rest = ""] = /^\s*(approve|reject)(?:d|ed)?\b[\s:,.]*(.*)$/is.exec(text) ?? [];
  const kind = word.toLowerCase();
  return kind === "approve" || kind === "reject" ? { kind, text: shown(rest) } : { kind: "none", text: "" };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    throw new GateFailure(`${path}: ${code ?? String(error)}`);
  }
}

function filled(template: string, { to, number }: GateWave, encode: (text: string) => string = (text) => text): string {
  return template.replaceAll("{release}", encode(to)).replaceAll("{wave}", encode(String(number)));
}
