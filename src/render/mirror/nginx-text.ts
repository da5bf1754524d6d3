/**
 * Text of an nginx configuration. Values become part of it through {@link word} and {@link pattern} only.
 * See https://nginx.org/en/docs/beginners_guide.html#conf_structure.
 */

declare const escaped: unique symbol;

/** One parameter of a directive, in quotes. */
export type Word = string & { readonly [escaped]: true };

/** nginx reads a parameter into a buffer of 4096 bytes. */
const LONGEST = 2048;

/**
 * One parameter: the template's own text, in which `$name` is a variable of nginx, with values that stand for exactly
 * themselves. Throws on a value that no parameter can hold: nginx has no escape for `$`.
 */
export function word(literals: TemplateStringsArray, ...values: readonly (string | number)[]): Word {
  const body = literals.map((literal, index) => escapeQuoted(literal) + value(values[index] ?? "")).join("");
  return `"${body}"` as Word;
}

/** A regular expression as one parameter; for `location`, `map` and `if`, which expand no variables in one. */
export function pattern(expression: string): Word {
  if (/[\p{Cc}\p{Cs}]/u.test(expression)) throw new Error("a pattern cannot hold control characters");
  return `"${escapeQuoted(expression)}"` as Word;
}

/** Lines, each further to the right by so many steps; empty lines stay empty. */
function indent(text: string, steps = 1): string {
  return text.replace(/^(?=.)/gm, "  ".repeat(steps));
}

/** Parts of a configuration, one below the other; what is empty leaves no line. */
export function lines(...parts: readonly (string | readonly string[])[]): string {
  return parts
    .flat()
    .filter((part) => part !== "")
    .join("\n");
}

/** `name { … }`. */
export function block(name: string, ...body: readonly (string | readonly string[])[]): string {
  return `${name} {\n${indent(lines(...body))}\n}`;
}

function value(given: string | number): string {
  const text = String(given);
  if (/[$\p{Cc}\p{Cs}]/u.test(text) || Buffer.byteLength(text) > LONGEST) {
    throw new Error(`${JSON.stringify(text.slice(0, 40))} cannot be part of an nginx setting`);
  }
  return escapeQuoted(text);
}

/** Inside double quotes nginx takes `\"`, `\\`, `\t`, `\r` and `\n` for one character, and any other `\` as it is. */
function escapeQuoted(text: string): string {
  return text.replace(/["\\]/g, "\\$&");
}
