import { closest, distance } from "fastest-levenshtein";
import { isLater, issue, type Issue } from "./issues";

/** What a parser gives back: the normalised value, or the one thing wrong with the text. */
export type Parsed<T> =
  { readonly value: T; readonly issue?: undefined } | { readonly value?: undefined; readonly issue: Issue };

/** How a check looks at values that come from a program. */
export interface CheckOptions {
  /** True for a value that is not known yet (at preview); it is skipped now and checked when it is known. */
  readonly isUnknown?: (value: unknown) => boolean;
}

/** `env` + `GOPROXY` → `env.GOPROXY`; `checksums` + `a b` → `checksums["a b"]`; a number is an index. */
export function at(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The issue of a parsed value, as a list to spread. */
export function issuesOf(parsed: { readonly issue?: Issue }): Issue[] {
  return parsed.issue ? [parsed.issue] : [];
}

export type Fields = Readonly<Record<string, unknown>>;

/** An object with fields, as opposed to null, a list, a scalar, a date or a map, and to one whose fields come later. */
export function isFields(value: unknown): value is Fields {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !isLater(value) &&
    !(value instanceof Date || value instanceof Map || value instanceof Set)
  );
}

/** One issue for each key that is not in `known`, naming the nearest right key. */
export function unknownKeys(path: string, given: Fields, known: readonly string[]): Issue[] {
  return Object.keys(given)
    .filter((key) => !known.includes(key) && given[key] !== undefined)
    .map((key) => issue(at(path, key), given[key], didYouMean(key, known)));
}

/** `no such key; did you mean "env"?`, or the list of what there is when none is near. */
export function didYouMean(word: string, known: readonly string[], what = "key"): string {
  const near = nearest(word, known);
  return near ? `no such ${what}; did you mean "${near}"?` : `no such ${what}; one of ${known.join(", ")}`;
}

/** The known word a person most likely meant; undefined when none is near. Case, `_` and `-` do not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const bare = fold(word);
  const folded = known.map(fold);
  const best = closest(bare, folded);
  const allowed = Math.max(1, Math.floor(bare.length / 3));
  return distance(bare, best) <= allowed ? known[folded.indexOf(best)] : undefined;
}

/** True where a text holds a control character (also C1 and the Unicode line separators) or an unpaired surrogate. */
export function hasControlCharacter(text: string): boolean {
  return /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text);
}

function fold(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, "");
}
