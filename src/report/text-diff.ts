import { structuredPatch } from "diff";
import { SECRET, UNKNOWN } from "./change";

/** A unified diff of a text, without file names; hunks only. */
export interface TextDiff {
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** `@@ -1,3 +1,4 @@` and lines led by space, `+`, `-` or `\`. One line in place of it where a text is not to be shown. */
  readonly lines: readonly string[];
  readonly added: number;
  readonly removed: number;
}

const CONTEXT = 3;

/** Milliseconds a diff may take before both texts are shown whole: two large texts with nothing in common. */
const TIMEOUT = 250;

/** Undefined on one side: the text is new, or goes. */
export type Differ = (path: string, before: string | undefined, after: string | undefined) => TextDiff;

/** A differ that compares each pair of texts once: a fleet has the same change in many places. */
export function differ(): Differ {
  const known = new Map<string | undefined, Map<string | undefined, TextDiff>>();
  return (path, before, after) => {
    const by = known.get(before) ?? new Map<string | undefined, TextDiff>();
    known.set(before, by);
    const found = by.get(after) ?? textDiff(path, before, after);
    by.set(after, found);
    return found.path === path ? found : { ...found, path };
  };
}

function textDiff(path: string, before: string | undefined, after: string | undefined): TextDiff {
  const kind = before === undefined ? "add" : after === undefined ? "delete" : "update";
  const hidden = [before, after].find((text) => text === SECRET || text === UNKNOWN);
  if (hidden !== undefined) return { path, kind, lines: [`(${says(hidden)})`], added: 0, removed: 0 };
  const patch =
    structuredPatch("", "", before ?? "", after ?? "", "", "", { context: CONTEXT, timeout: TIMEOUT }) ??
    whole(before, after);
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: each }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...each,
  ]);
  const count = (sign: string): number => lines.filter((line) => line.startsWith(sign)).length;
  return { path, kind, lines, added: count("+"), removed: count("-") };
}

function says(hidden: string): string {
  return hidden === SECRET ? "a secret: not shown" : "known after the update";
}

function whole(before = "", after = ""): Pick<ReturnType<typeof structuredPatch>, "hunks"> {
  const removed = before.split("\n");
  const added = after.split("\n");
  const lines = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
  return { hunks: [{ oldStart: 1, oldLines: removed.length, newStart: 1, newLines: added.length, lines }] };
}
