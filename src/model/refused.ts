import { sentence, type Issue } from "./issues";

/** One thing wrong with a value that was not known when its component was made. */
export interface Refusal {
  /** As the user wrote it, below the connection's own path; empty for the whole target. */
  readonly path: string;
  readonly reason: string;
}

const MARK = "gofleet refuses ";

/**
 * Stands for a value that became known and will not do: the provider's check finds it and fails the resource. An error
 * thrown inside an Output would leave an inline program of the Automation API waiting forever.
 */
export function refused(refusals: readonly Refusal[]): string {
  return `${MARK}${JSON.stringify(refusals)}`;
}

/** The same for issues. */
export function refusedFor(issues: readonly Issue[]): string {
  return refused(issues.map((each) => ({ path: each.path, reason: sentence(each) })));
}

/** What is wrong with a value that {@link refused} made; none for any other. */
export function refusalsOf(value: unknown): Refusal[] {
  if (typeof value !== "string" || !value.startsWith(MARK)) return [];
  try {
    return JSON.parse(value.slice(MARK.length)) as Refusal[];
  } catch {
    // Somebody's own text that begins like that. It may be a secret, which the parser's error would show.
    return [];
  }
}
