import { at, type Parsed } from "../check";
import { issue, type Issue } from "../issues";

/**
 * Patterns of private module paths, in the form of GOPRIVATE: `*` matches within a path element, and what follows the
 * pattern's last element is included (`git.corp.example/*` covers every module there, whatever its depth).
 * See https://go.dev/ref/mod#private-modules.
 */
export type PrivateModules = readonly string[];

/** How many path elements below a pattern Athens is told of; its own matching has no "and everything below". */
const DEPTH = 8;

/** One pattern. `?`, character classes and backslashes are refused: the programs that read patterns differ on them. */
export function parsePrivatePattern(path: string, given: unknown): Parsed<string> {
  const refuse = (wanted: string) => ({ issue: issue(path, given, wanted) });
  if (typeof given !== "string" || given === "") return refuse('a module path pattern such as "git.corp.example/*"');
  if (given.includes(",")) return refuse("one pattern for each entry of the list");
  if (/^[a-z]+:\/\//i.test(given)) return refuse(`a module path, not a URL: "${given.replace(/^[a-z]+:\/\//i, "")}"`);
  if (!/^[A-Za-z0-9._~*/-]+$/.test(given)) return refuse("letters, digits, . _ ~ - / and the wildcard *");
  const [host = "", ...rest] = given.split("/");
  if ([host, ...rest].some((element) => element === "" || element === "." || element === "..")) {
    return refuse("a pattern without empty, . or .. elements and without a slash at either end");
  }
  // A pattern that begins with a bare wildcard would make every module private, and the checksum database useless.
  if (/^\*+$/.test(host)) return refuse('a pattern that names its host, such as "*.corp.example"');
  return { value: given };
}

/** A list of patterns, each once. */
export function checkPrivateModules(path: string, given: unknown): Issue[] {
  if (!Array.isArray(given)) return [issue(path, given, 'a list of patterns such as ["git.corp.example/*"]')];
  const seen = new Set<unknown>();
  return given.flatMap((pattern: unknown, index) => {
    const here = at(path, index);
    if (seen.has(pattern)) return [issue(here, pattern, "each pattern once")];
    seen.add(pattern);
    const parsed = parsePrivatePattern(here, pattern);
    return parsed.issue ? [parsed.issue] : [];
  });
}

/**
 * The patterns as Athens' NoSumPatterns: it matches path.Match against what follows `/lookup/`, a path in the wire's
 * spelling with `@version` at the end, so each pattern is spelled with upper case escaped (`!m`) and as it is, alone,
 * with a version, and for paths below.
 */
export function noSumPatterns(patterns: PrivateModules): string[] {
  const all = patterns.flatMap((pattern) =>
    [...new Set([pattern, escapeModulePath(pattern)])].flatMap((spelled) => {
      const below = Array.from({ length: DEPTH }, (_, depth) => `${spelled}${"/*".repeat(depth + 1)}`);
      return [spelled, `${spelled}@*`, ...below];
    }),
  );
  return [...new Set(all)].sort();
}

/**
 * A regular expression (PCRE and JavaScript) for the beginning of a module path in a request, without an anchor: the
 * path itself and everything below. To be matched without regard to case: `Acme`, `acme` and `!acme` are one place.
 */
export function privatePathExpression(pattern: string): string {
  const body = [...pattern]
    .map((char) => {
      if (char === "*") return "[^/@]*";
      if (/[A-Za-z]/.test(char)) return /[A-Z]/.test(char) ? `!?${char.toLowerCase()}` : char;
      return char.replace(/[.~-]/, "\\$&");
    })
    .join("");
  return `${body}(?=[/@]|$)`;
}

/** A module path as it travels: `github.com/Acme/x` → `github.com/!acme/x`. See https://go.dev/ref/mod#goproxy-protocol. */
export function escapeModulePath(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
