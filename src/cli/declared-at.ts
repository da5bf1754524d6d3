import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Position } from "../report/change";

/** A component may declare what it is made of some calls deep. */
const DEPTH = 100;

/**
 * Where the program now declares something: the innermost call from the project's own files.
 *
 * @param root the project's directory, links resolved
 */
export function declaredAt(root: string): Position | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = DEPTH;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  return stack
    .split("\n")
    .map((line) => place(line, root))
    .find((found) => found !== undefined);
}

/** `    at new Fleet (/srv/infra/fleet.ts:12:5)`, `    at file:///srv/infra/index.mjs:3:1`. */
function place(line: string, root: string): Position | undefined {
  const [, at = "", row] = /^\s+at (?:.*\()?(.+):(\d+):\d+\)?$/.exec(line) ?? [];
  const path = at.startsWith("file://") ? fileURLToPath(at) : at;
  if (row === undefined || !isAbsolute(path)) return undefined;
  const file = relative(root, path);
  const own = !isAbsolute(file) && !file.split(sep).some((part) => part === ".." || part === "node_modules");
  return own ? { file: file.split(sep).join("/"), line: Number(row) } : undefined;
}
