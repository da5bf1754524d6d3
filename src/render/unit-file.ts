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

/** Paths of a list setting that may be missing: systemd passes over one that is. */
export function optionalWords(...paths: readonly AbsolutePath[]): UnitText {
  return words(...paths.map((each) => `-${each}`));
}

/** `NAME=value` for `Environment=`. See systemd.exec(5). */
export function environment(name: string, value: string): UnitText {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not a variable's name`);
  // systemd drops an assignment with any other control character in it.
  if (/[^\P{Cc}\t\n\u0080-\u009f]/u.test(value)) throw new Error(`${name} holds a control character`);
  return words(`${name}=${value}`);
}

/**
 * A command for `ExecStart=` and its like: the program by absolute path or by name, then its arguments, each passed
 * exactly as given. Prefixes (`-`, `+`, `!`) cannot be smuggled in. See systemd.service(5), "Command lines".
 */
export function exec(program: string, ...args: readonly string[]): UnitText {
  // systemd does not expand variables in the program's name, so a `$` there has no escape.
  if (!/^[A-Za-z0-9_/][^\p{Cc}"'\\$\s]*$/u.test(program) || UNREADABLE.test(program)) {
    throw new Error(`${JSON.stringify(program)} cannot be executed`);
  }
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

/** systemd drops a whole line that holds one of these: NUL, half a surrogate pair, a code point that is no character. */
const UNREADABLE = /[\0\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** A word in double quotes with C escapes. */
function doubleQuoted(value: string): string {
  if (UNREADABLE.test(value)) throw new Error("a unit file cannot hold NUL, surrogates or Unicode noncharacters");
  const body = value
    .replace(/["\\]/g, "\\$&")
    .replace(/[\p{Cc}\u2028\u2029]/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
    );
  return `"${body}"`;
}

/** systemd strips white space at the ends and joins a line that ends in a backslash with the next one. */
function isPlain(value: string): boolean {
  const oneLine = !/[\p{Cc}\u2028\u2029]/u.test(value) && !value.endsWith("\\");
  return oneLine && !UNREADABLE.test(value) && value === value.trim();
}
