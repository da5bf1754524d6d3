import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A service as systemd understood it. */
export interface ParsedUnit {
  readonly description: string;
  /** argv of each command, as the process would get it. */
  readonly commands: readonly (readonly string[])[];
  /** Values of the variables V0, V1, …, in order. */
  readonly environment: readonly string[];
  /** Lines that systemd ignored or disliked. */
  readonly complaints: readonly string[];
}

/** Lets systemd's own parser read a service; its dump of the loaded unit says what it understood. */
export function parsedUnit(folder: string, unit: string): ParsedUnit {
  const file = join(folder, "probe.service");
  writeFileSync(file, unit);
  const env = {
    PATH: process.env.PATH,
    SYSTEMD_LOG_LEVEL: "debug",
    SYSTEMD_UNIT_PATH: `${folder}:`,
    XDG_RUNTIME_DIR: folder,
    HOME: folder,
  };
  const options = { encoding: "utf8" as const, env, maxBuffer: 2 ** 28 };
  const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--user", "--recursive-errors=no", file], options);
  rmSync(file);
  // Lines end at "\n" only: `.` and `$` of a pattern would also stop at U+2028.
  const [, dump = ""] = stdout.split("-> Unit probe.service:\n");
  const lines = dump.split(/\n\t?-> Unit /, 1)[0]?.split("\n") ?? [];
  const after = (label: string) =>
    lines.flatMap((line) => (line.trimStart().startsWith(label) ? [line.trimStart().slice(label.length)] : []));
  return {
    description: after("Description: ")[0] ?? "",
    commands: after("Command Line: ").map(words),
    environment: variables(lines),
    complaints: stderr.split("\n").filter((line) => /probe\.service:\d+:/.test(line)),
  };
}

/** A value may go on over several lines; the next variable or setting ends it. */
function variables(lines: readonly string[]): string[] {
  const values: string[] = [];
  let open = false;
  for (const line of lines) {
    const [, value] = /^\t\tEnvironment: V\d+=([^]*)$/.exec(line) ?? [];
    if (value !== undefined) values.push(value);
    else if (open && !/^\t\t[A-Z][A-Za-z]+: /.test(line)) values.push(`${values.pop()}\n${line}`);
    open = value !== undefined || (open && !/^\t\t[A-Z][A-Za-z]+: /.test(line));
  }
  return values;
}

/** Words of systemd's dump: bare, or in double quotes with C escapes; `$$` becomes `$` when the process starts. */
function words(line: string): string[] {
  const found = [...line.matchAll(/"((?:[^"\\]|\\[^])*)"|([^ ]+)/g)];
  return found.map(([, quoted, bare = ""]) => (quoted === undefined ? bare : unescaped(quoted)).replaceAll("$$", "$"));
}

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unescaped(quoted: string): string {
  const bytes = quoted.replace(/\\(x[0-9a-f]{2}|[0-7]{3}|[^])/g, (_, code: string) => {
    if (code.startsWith("x")) return String.fromCharCode(parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });
  return bytes;
}
