import { createHash } from "node:crypto";

/** Which run of a workflow posts: a number that grows, and the attempt where a run is repeated. */
export interface Run {
  readonly number: number;
  readonly attempt: number;
}

/** What a comment's first line says of it, unseen by readers. */
export interface Marker {
  /** Which report it is; see {@link markerKey}. */
  readonly key: string;
  readonly run: Run;
  /** The commit that was previewed, in hex. */
  readonly commit: string;
}

/** How a forge hides a line: as an HTML comment, or, where HTML is shown as text, as a link that nobody uses. */
export type MarkerStyle = "html" | "reference";

/** Names a report for its marker: any text, such as the names of its stacks. */
export function markerKey(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 16);
}

const PATTERN =
  /^\s*(?:<!-- |\[gofleet-report\]: # ")gofleet-report key=([0-9a-f]{16}) run=(\d+)\.(\d+) commit=([0-9a-f]+)(?: -->|")/;

export function formatMarker({ key, run, commit }: Marker, style: MarkerStyle): string {
  const text = `gofleet-report key=${key} run=${run.number}.${run.attempt} commit=${commit}`;
  return style === "html" ? `<!-- ${text} -->` : `[gofleet-report]: # "${text}"`;
}

/** The marker at the very beginning of a comment; text of the report further down cannot pass for one. */
export function parseMarker(body: string): Marker | undefined {
  const [, key, number, attempt, commit] = PATTERN.exec(body) ?? [];
  if (key === undefined || commit === undefined) return undefined;
  return { key, run: { number: Number(number), attempt: Number(attempt) }, commit };
}

/** Negative when `a` is the older run. */
export function compareRuns(a: Run, b: Run): number {
  return a.number - b.number || a.attempt - b.attempt;
}

/** Whether two commits are the same; some forges give only the first 12 digits. */
export function sameCommit(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  return length >= 7 && a.slice(0, length).toLowerCase() === b.slice(0, length).toLowerCase();
}
