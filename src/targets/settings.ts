import { auditWords, checkAudit, type AuditArgs } from "../model/audit";
import { issue, type Issue } from "../model/issues";
import { parseDuration } from "../model/units";
import type { TargetPolicy, TargetSettings } from "./target";

const DEADLINE = 15 * 60;
const CONNECT = 30;

/** The settings every target takes, with defaults; what is wrong with them goes to `issues`. */
export function targetPolicy(given: TargetSettings, issues: Issue[]): TargetPolicy {
  return {
    unreachable: oneOf("unreachable", given.unreachable, ["fail", "keep", "gone"], issues),
    onNewMachine: oneOf("onNewMachine", given.onNewMachine, ["fail", "install"], issues),
    deadline: seconds("deadline", given.deadline, DEADLINE, issues),
    connect: seconds("connect", given.connect, CONNECT, issues),
    unsupported: oneOf("unsupported", given.unsupported, ["refuse", "allow"], issues),
    ...audit(given.audit, issues),
  };
}

/** Nothing where the default will do, so that it is not in every state. */
function audit(given: AuditArgs | undefined, issues: Issue[]): Pick<TargetPolicy, "audit" | "reasons"> {
  if (given === undefined) return {};
  const found = checkAudit("audit", given);
  issues.push(...found);
  if (found.length > 0) return {};
  return { audit: auditWords(given), ...(given.reasons === true ? { reasons: true } : {}) };
}

/** One of the words, the first being the default. */
export function oneOf<T extends string>(
  path: string,
  given: T | undefined,
  words: readonly [T, ...T[]],
  issues: Issue[],
): T {
  if (given === undefined) return words[0];
  if (!words.includes(given)) issues.push(issue(path, given, words.map((word) => `"${word}"`).join(" or ")));
  return given;
}

/** A duration in seconds, more than none. */
export function seconds(path: string, given: unknown, fallback: number, issues: Issue[]): number {
  if (given === undefined) return fallback;
  const parsed = parseDuration(path, given);
  if (parsed.issue !== undefined) issues.push(parsed.issue);
  else if (parsed.value >= 1) return parsed.value;
  else issues.push(issue(path, given, "at least one second"));
  return fallback;
}

export const SETTING_KEYS = ["unreachable", "onNewMachine", "deadline", "connect", "unsupported", "audit"] as const;
