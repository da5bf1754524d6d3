import type { AbsolutePath } from "../model/names";
import { MARKER } from "./marker";

declare const escaped: unique symbol;

/** Text that is safe to the right of `=` in a unit file; only the functions of this file make it. */
export type UnitText = string & { readonly [escaped]: true };

/** A section: its name and its settings, in order. A list repeats the setting. */
export type UnitSection = readonly [string, { readonly [setting: string]: UnitText | readonly UnitText[] | undefined }];

/** A unit file. See systemd.syntax(7). */
export function unitFile(...sections: readonly UnitSection[]): string {
  const blocks = sections.map(([name, settings]) => {
    const lines = Object.entries(settings).flatMap(([setting, value]) =>
      [value ?? []].flat().map((text) => `${setting}=${text}`),
    );
    return [`[${name}]`, ...lines].join("\n");
  });
  return `${[MARKER, ...blocks].join("\n\n")}\n`;
}

/** A value that systemd takes as it stands, without specifiers: `25%`, `on-failure`. */
export function literal(text: string): UnitText {
  if (!isPlain(text)) throw new Error(`${JSON.stringify(text)} cannot be the value of a unit setting`);
  return text as UnitText;
}

/** A value in which systemd expands specifiers: `%` is doubled. */
export function text(value: string): UnitText {
  return literal(value.replaceAll("%", "%%"));
}

/** A path setting such as `Where=`: specifiers are escaped, backslashes stay (these settings are not unquoted). */
export function path(value: AbsolutePath): UnitText {
  return text(value);
}

/** Words of a list setting such as `ReadWritePaths=`, each quoted. */
export function words(...values: readonly string[]): UnitText {
  return values.map((value) => doubleQuoted(value.replaceAll("%", "%%"))).join(" ") as UnitText;
}

/** `NAME=value` for `Environment=`. See systemd.exec(5). */
export function environment(name: string, value: string): UnitText {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not a variable's name`);
  return words(`${name}=${value}`);
}

/**
 * A command for `ExecStart=` and its like: the program by absolute path or by name, then its arguments, each passed
 * exactly as given. Prefixes (`-`, `+`, `!`) cannot be smuggled in. See systemd.service(5), "Command lines".
 */
export function exec(program: string, ...args: readonly string[]): UnitText {
  // systemd does not expand variables in the program's name, so a `$` there has no escape.
  if (!/^[A-Za-z0-9_/][^\p{Cc}"'\\$\s]*$/u.test(program))
    throw new Error(`${JSON.stringify(program)} cannot be executed`);
  const rest = args.map((arg) => doubleQuoted(arg.replaceAll("%", "%%").replaceAll("$", "$$$$")));
  return [program.replaceAll("%", "%%"), ...rest].join(" ") as UnitText;
}

/** The unit name part of a path, as `systemd-escape --path` gives it: `/var/cache/go-build` → `var-cache-go\x2dbuild`. */
export function escapePath(value: AbsolutePath): string {
  const trimmed = value
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
  if (trimmed === "") return "-";
  return [...Buffer.from(trimmed, "utf8")]
    .map((byte, index) => {
      const char = String.fromCharCode(byte);
      if (char === "/") return "-";
      const kept = /[A-Za-z0-9:_.]/.test(char) && !(index === 0 && char === ".");
      return kept ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** A word in double quotes with C escapes. */
function doubleQuoted(value: string): string {
  if (value.includes("\0") || /\p{Cs}/u.test(value)) throw new Error("a unit file's word must be Unicode without NUL");
  const body = value
    .replace(/["\\]/g, "\\$&")
    .replace(/[\p{Cc}\u2028\u2029]/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
    );
  return `"${body}"`;
}

/** systemd strips white space at the ends and joins a line that ends in a backslash with the next one. */
function isPlain(value: string): boolean {
  return !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value) && value === value.trim() && !value.endsWith("\\");
}
