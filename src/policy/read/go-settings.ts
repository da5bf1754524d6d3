import { lines, unwrapped } from "./documents";
import { objects } from "./walk";

/** Settings of the go command that the rules look at. See https://go.dev/ref/mod#environment-variables. */
const NAMES = ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOSUMCHECK", "GOINSECURE", "GOFLAGS"] as const;

export type GoSettingName = (typeof NAMES)[number];

/** One setting of the go command, wherever it is written. */
export interface GoSetting {
  readonly path: string;
  readonly name: GoSettingName;
  readonly value: string;
  /** A module mirror's own setting: it is the one that fetches from the origin. */
  readonly ofMirror: boolean;
}

const ASSIGNMENT = new RegExp(`(?<![\\w-])(${NAMES.join("|")})=("[^"]*"|'[^']*'|[^\\s"';]*)`, "g");

/** What a mirror (Athens) hands to its own go command, as environment or in its TOML file. */
const OF_MIRROR = /ATHENS_|GoBinaryEnvVars/;

/**
 * Settings of the go command in a resource of any type: in maps (`env.GOPROXY`), in lists of `{ name, value }` as
 * containers have them, and as assignments in files, units, scripts and boot data.
 */
export function goSettings(props: unknown): GoSetting[] {
  const named = objects(unwrapped(props)).flatMap(({ path, fields }) => {
    const { name, value } = fields;
    return isName(name) && typeof value === "string"
      ? [{ path: `${path}.value`, name, value, ofMirror: false }]
      : typeof name === "string" && typeof value === "string" && OF_MIRROR.test(name)
        ? assignments(`${path}.value`, value, true)
        : [];
  });
  const known = new Set(named.map(({ path }) => path));
  const written = lines(props).flatMap(({ path, key, line }) => {
    if (known.has(path)) return [];
    const ofMirror = OF_MIRROR.test(key) || OF_MIRROR.test(line);
    return isName(key) ? [{ path, name: key, value: line, ofMirror }] : assignments(path, line, ofMirror);
  });
  return [...named, ...written];
}

function assignments(path: string, text: string, ofMirror: boolean): GoSetting[] {
  return [...text.matchAll(ASSIGNMENT)].map(([, name = "", value = ""]) => ({
    path,
    name: name as GoSettingName,
    value: value.replace(/^(["'])(.*)\1$/, "$2"),
    ofMirror,
  }));
}

function isName(given: unknown): given is GoSettingName {
  return NAMES.some((name) => name === given);
}
