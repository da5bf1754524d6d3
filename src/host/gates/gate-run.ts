import type { GateAuth } from "../../model/gates";
import type { Clock } from "./clock";

/** A host that a gate judges. */
export interface GateHost {
  readonly key: string;
  /** Where it is reached, without user and port. */
  readonly address: string;
}

/** What gates are told of the rollout. */
export interface GateWave {
  readonly number: number;
  readonly of: number;
  readonly hosts: readonly GateHost[];
  readonly component: string;
  /** The release the state had before; empty at a first installation. */
  readonly from: string;
  readonly to: string;
}

/** What one run of one gate works with. */
export interface GateRun {
  readonly wave: GateWave;
  readonly clock: Clock;
  /** Says that the gate is to end at once, without a verdict. */
  readonly signal: AbortSignal;
  /** The gate's token or password. */
  readonly secret: string | undefined;
  /** What it sees, for the resource's row. */
  readonly status: (text: string) => void;
  /** What has to stay readable when the row has moved on. */
  readonly info: (text: string) => void;
}

/** A gate did not let the release pass; the message says what it saw. */
export class GateFailure extends Error {
  override readonly name = "GateFailure";
}

/** The gate was told to end before it had a verdict. */
export class GateStopped extends Error {
  override readonly name = "GateStopped";
}

/** Ends a gate that nobody waits for any more. */
export function throwIfStopped({ signal }: Pick<GateRun, "signal">): void {
  if (signal.aborted) throw new GateStopped("stopped");
}

/** The header for a gate's requests. */
export function authorization(auth: GateAuth | undefined, secret = ""): Record<string, string> {
  if (auth === undefined) return {};
  // What a header cannot hold would come back in the error's text.
  if (secret === "" || /[^\x20-\x7e]/.test(secret)) {
    throw new GateFailure("its credential is not one line of ASCII text");
  }
  if (auth.kind === "bearer") return { authorization: `Bearer ${secret}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${secret}`).toString("base64")}` };
}

const SHOWN = 300;

/** Text of others as one bounded line. */
export function shown(text: string, most = SHOWN): string {
  const line = text.trim().replace(/[\s\p{Cc}]+/gu, " ");
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** The end of what a program printed, where it says what went wrong. */
export function shownEnd(text: string, most = SHOWN): string {
  const line = shown(text, Infinity);
  return line.length > most ? `…${line.slice(1 - most)}` : line;
}
