/** One thing wrong with what the user gave: where, what it was, and what would do. */
export interface Issue {
  /** Property path as the user wrote it: `go.checksums.linux-amd64`, `hosts["rack-01"].port`. */
  readonly path: string;
  /** What was given, shortened and without secrets; undefined when it was missing. */
  readonly given: string | undefined;
  /** What would do. */
  readonly wanted: string;
}

/** Makes an issue; `given` is shown as JSON and cut so that an error stays one line. */
export function issue(path: string, given: unknown, wanted: string): Issue {
  return { path, given: given === undefined ? undefined : show(given), wanted };
}

/** An issue whose value must not be shown; `what` stands for it: "a secret", "a URL with credentials". */
export function hiddenIssue(path: string, what: string, wanted: string): Issue {
  return { path, given: `${what} (not shown)`, wanted };
}

/** `given "1.26", wanted an exact version such as "1.26.8"`; the path is printed by the engine. */
export function sentence({ given, wanted }: Issue): string {
  return given === undefined ? `missing, wanted ${wanted}` : `given ${given}, wanted ${wanted}`;
}

/** All issues as text, one a line, each with its path. */
export function describe(issues: readonly Issue[]): string {
  return issues.map((each) => `${each.path}: ${sentence(each)}`).join("\n");
}

/** A value that is there only later: a promise, or Pulumi's Output, told by the mark that its SDK looks for itself. */
export function isLater(value: unknown): boolean {
  return value instanceof Promise || isOutput(value);
}

function isOutput(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as Record<string, unknown>)["__pulumiOutput"] === true;
}

const LONGEST = 80;

function show(value: unknown): string {
  const text = spell(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function spell(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "number") return String(value);
  if (isLater(value)) return isOutput(value) ? "an Output" : "a promise";
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle or a bigint; a program without types can hand over either.
    return typeof value === "bigint" ? `${value}n` : "an object that is not plain data";
  }
}
