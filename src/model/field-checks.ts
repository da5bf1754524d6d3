import { at, hasControlCharacter, isFields, issuesOf, unknownKeys, type Parsed } from "./check";
import { hasCredentials, isUrl } from "./go-env-values";
import { hiddenIssue, issue, type Issue } from "./issues";

/** `athens` + `binary.proxy` → `athens.binary.proxy`. */
export function below(path: string, keys: string): string {
  return keys.split(".").reduce((here, key) => at(here, key), path);
}

/** Checks one value that is there and known. */
export type ValueCheck = (path: string, given: unknown) => Issue[];

/** The fields of an object; `required` says what would do where one is missing. */
export interface FieldSpecs {
  readonly [key: string]: ValueCheck | { readonly required: string; readonly check: ValueCheck };
}

/** Checks each field that is there and known, tells which are missing, and refuses keys that are no field. */
export function checkFields(
  path: string,
  given: unknown,
  specs: FieldSpecs,
  isUnknown: (value: unknown) => boolean = () => false,
): Issue[] {
  if (!isFields(given)) return [issue(path, given, `an object with ${Object.keys(specs).join(", ")}`)];
  const known = Object.entries(specs).flatMap(([key, spec]) => {
    const value = given[key];
    const here = at(path, key);
    if (value === undefined) return typeof spec === "function" ? [] : [issue(here, undefined, spec.required)];
    if (isUnknown(value)) return [];
    return typeof spec === "function" ? spec(here, value) : spec.check(here, value);
  });
  return [...known, ...unknownKeys(path, given, Object.keys(specs))];
}

/** A field that must be there; `wanted` is said where it is missing. */
export function required(wanted: string, check: ValueCheck = line(wanted)): { required: string; check: ValueCheck } {
  return { required: wanted, check };
}

export function parsed(parse: (path: string, given: unknown) => Parsed<unknown>): ValueCheck {
  return (path, given) => issuesOf(parse(path, given));
}

export function oneOf(...values: readonly unknown[]): ValueCheck {
  const wanted = values.map((value) => JSON.stringify(value)).join(", ");
  return (path, given) =>
    values.includes(given) ? [] : [issue(path, given, values.length > 1 ? `one of ${wanted}` : wanted)];
}

export const flag: ValueCheck = (path, given) =>
  typeof given === "boolean" ? [] : [issue(path, given, "true or false")];

/** Checks a value if it is there: for an argument that may be left out. */
export function optional(path: string, given: unknown, check: ValueCheck): Issue[] {
  return given === undefined ? [] : check(path, given);
}

export function whole(least: number, most: number, what = "a whole number"): ValueCheck {
  return (path, given) => {
    const fits = typeof given === "number" && Number.isInteger(given) && given >= least && given <= most;
    return fits ? [] : [issue(path, given, `${what} from ${least} to ${most}`)];
  };
}

/** One line of text that is not empty. */
export function line(wanted: string): ValueCheck {
  return (path, given) =>
    typeof given === "string" && given !== "" && given.trim() === given && !hasControlCharacter(given)
      ? []
      : [issue(path, given, `${wanted}, as one line`)];
}

export function matching(shape: RegExp, wanted: string): ValueCheck {
  return (path, given) => (typeof given === "string" && shape.test(given) ? [] : [issue(path, given, wanted)]);
}

/** A check whose issue never shows the value. */
export function hidden(wanted: string, isGood: (text: string) => boolean): ValueCheck {
  return (path, given) => {
    if (typeof given === "string" && isGood(given)) return [];
    return [{ path, given: typeof given === "string" ? "a text (not shown)" : typeof given, wanted }];
  };
}

/** A secret of one line. */
export const secretLine = hidden("one line of text", (text) => text !== "" && !hasControlCharacter(text));

/** A secret of several lines. */
export const secretText = hidden("text", (text) => text.trim() !== "" && !text.includes("\0"));

/** A URL that may hold user and password; never shown. */
export function secretUrl(...schemes: readonly string[]): ValueCheck {
  return hidden(`a URL (${schemes.join(", ")})`, (text) => isUrl(text, schemes));
}

/** An http or https URL without user and password. */
export function url(wanted: string, accepts: (url: URL) => boolean = () => true): ValueCheck {
  return (path, given) => {
    if (typeof given === "string" && hasCredentials(given)) {
      return [hiddenIssue(path, "a URL with credentials", `${wanted}, without user and password`)];
    }
    return typeof given === "string" && isUrl(given) && accepts(new URL(given)) ? [] : [issue(path, given, wanted)];
  };
}

/** `host:port`, without a scheme. */
export const hostPort = matching(
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/,
  '"host:port", such as "redis.corp.example:6379"',
);

/** A list with something in it, each entry once; entries that are not known are skipped. */
export function listOf(
  check: ValueCheck,
  wanted: string,
  isUnknown: (value: unknown) => boolean = () => false,
): ValueCheck {
  return (path, given) => {
    if (!Array.isArray(given) || given.length === 0) return [issue(path, given, `a list of ${wanted}`)];
    return given.flatMap((entry: unknown, index) => {
      if (isUnknown(entry)) return [];
      const twice = given.indexOf(entry) < index ? [issue(at(path, index), entry, "each entry once")] : [];
      return [...check(at(path, index), entry), ...twice];
    });
  };
}

/** An object whose `kind` says which fields it has. */
export function byKind(
  kinds: Readonly<Record<string, FieldSpecs>>,
  isUnknown: (value: unknown) => boolean = () => false,
): ValueCheck {
  return (path, given) => {
    const names = Object.keys(kinds);
    const kind = isFields(given) ? given.kind : undefined;
    const specs = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (specs === undefined) {
      return [
        issue(isFields(given) ? at(path, "kind") : path, isFields(given) ? kind : given, `kind ${names.join(", ")}`),
      ];
    }
    return checkFields(path, given, { kind: oneOf(kind), ...specs }, isUnknown);
  };
}
