import { sentence } from "../model/issues";
import { parseReason } from "../model/pin";
import type { ReleaseInputs } from "./release";

/** Where a run is told why it is made; it goes into the hosts' audit events. */
export const REASON_VARIABLE = "GOFLEET_REASON";
const LONGEST = 200;
/** As much of a cause as the summary of the evidence shows. */
const LONGEST_CAUSE = 400;

/**
 * Why this run is made, if anybody said so.
 * @throws Error unless it is one line of at most 200 characters
 */
export function reasonGiven(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env[REASON_VARIABLE];
  return given === undefined || given === "" ? undefined : reasonOf(REASON_VARIABLE, given);
}

/**
 * What was given as a reason, under which name.
 * @throws Error unless it is one line of at most 200 characters
 */
export function reasonOf(name: string, given: string): string {
  const { value, issue } = parseReason(name, given);
  if (issue !== undefined) throw new Error(`${name}: ${sentence(issue)}`);
  return value;
}

/**
 * Refuses to take a component off without a reason, where its target wants one.
 * @throws Error that says how to give one
 */
export function requireReason(
  { component, policy }: Pick<ReleaseInputs, "component" | "policy">,
  hosts: readonly string[],
): void {
  if (policy.reasons !== true || hosts.length === 0 || reasonGiven() !== undefined) return;
  throw new Error(
    `${component} is not taken off ${[...hosts].sort().join(", ")} without a reason, as audit.reasons of its target says; ` +
      `nothing was changed\n  → ${REASON_VARIABLE}="why" for this run`,
  );
}

/**
 * The environment of a run that is made for a reason.
 * @throws Error unless it is one line of at most 200 characters
 */
export function reasonVariable(reason: string | undefined): NodeJS.ProcessEnv {
  return reason === undefined ? {} : { [REASON_VARIABLE]: reasonOf("--reason", reason) };
}

/** What a person reads elsewhere on several lines, as a reason. */
export function asReason(why: string): string {
  return asLine(why, LONGEST);
}

/** The same as the cause for which a release is taken back. */
export function asCause(why: string): string {
  return asLine(why, LONGEST_CAUSE);
}

function asLine(text: string, longest: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}
