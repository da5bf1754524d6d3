import { hasControlCharacter, isFields, type Fields } from "./check";
import {
  checkFields,
  hidden,
  line,
  listOf,
  matching,
  oneOf,
  required,
  url,
  whole,
  type FieldSpecs,
  type ValueCheck,
} from "./field-checks";
import type { GateAuth } from "./gates";
import { isLater, issue, type Issue } from "./issues";
import { parseDuration } from "./units";

/** At least one second, and whole: gates count in seconds. */
export const duration: ValueCheck = (path, given) => {
  const parsed = parseDuration(path, given);
  if (parsed.issue !== undefined) return [parsed.issue];
  return Number.isInteger(parsed.value) && parsed.value >= 1 ? [] : [issue(path, given, "whole seconds, at least one")];
};

/** Seconds of a checked duration. */
export function secondsOf(given: unknown, fallback: number): number {
  const parsed = given === undefined ? undefined : parseDuration("", given);
  return parsed?.value ?? fallback;
}

export const finite: ValueCheck = (path, given) =>
  typeof given === "number" && Number.isFinite(given) ? [] : [issue(path, given, "a number")];

export function between(least: number, most: number): ValueCheck {
  return (path, given) =>
    typeof given === "number" && given >= least && given <= most
      ? []
      : [issue(path, given, `a number from ${least} to ${most}`)];
}

export const atLeastNone: ValueCheck = (path, given) =>
  typeof given === "number" && given >= 0 && Number.isFinite(given) ? [] : [issue(path, given, "a number, at least 0")];

/** PromQL and the like: some text, on one line or several. */
export const promql: ValueCheck = (path, given) =>
  typeof given === "string" && given.trim() !== "" && !given.includes("\0")
    ? []
    : [issue(path, given, "a PromQL expression")];

export const command: ValueCheck = (path, given) =>
  Array.isArray(given) &&
  given.length > 0 &&
  given[0] !== "" &&
  given.every((word) => typeof word === "string" && !word.includes("\0"))
    ? []
    : [issue(path, given, 'program and arguments: ["./contract-test", "--strict"]')];

export const status: ValueCheck = (path, given) => {
  const one = whole(100, 599, "an HTTP status");
  return Array.isArray(given) ? listOf(one, "HTTP statuses")(path, given) : one(path, given);
};

export const pattern: ValueCheck = (path, given) => {
  if (given instanceof RegExp) {
    return given.flags === "" ? [] : [issue(path, String(given), "a regular expression without flags")];
  }
  try {
    if (typeof given === "string") {
      RegExp(given);
      return [];
    }
  } catch {
    // Said below.
  }
  return [issue(path, given, "a regular expression")];
};

/** A URL with the given placeholders at most; harmless words stand for them while it is checked. */
export function templateUrl(wanted: string, ...placeholders: readonly string[]): ValueCheck {
  const check = url(wanted);
  return (path, given) => {
    if (typeof given !== "string") return check(path, given);
    const issues = check(
      path,
      placeholders.reduce((text, name) => text.replaceAll(`{${name}}`, "x"), given),
    );
    if (issues.length > 0) return check(path, given).length > 0 ? check(path, given) : [issue(path, given, wanted)];
    return unknownPlaceholders(path, given, placeholders);
  };
}

export function unknownPlaceholders(path: string, given: string, known: readonly string[]): Issue[] {
  const names = [...given.matchAll(/\{(\w*)\}/g)].map(([, name = ""]) => name).filter((name) => !known.includes(name));
  const wanted =
    known.length === 0 ? "no placeholder" : `no placeholder but ${known.map((name) => `{${name}}`).join(", ")}`;
  return names.length === 0 ? [] : [issue(path, given, wanted)];
}

const NAME = matching(
  /^[a-z0-9][a-z0-9-]{0,39}$/,
  "a name of a-z, 0-9 and '-', beginning with a letter or digit, at most 40 long",
);

/** An HTTP header takes one line; a value that is an Output is checked when it is used. */
const credential: ValueCheck = (path, given) =>
  isLater(given) ? [] : hidden("one line of text", (text) => text !== "" && !hasControlCharacter(text))(path, given);

export const COMMON: FieldSpecs = { name: NAME, after: oneOf("canary", "each", "last") };

export const CREDENTIALS: FieldSpecs = {
  bearerToken: credential,
  basicAuth: (path, given) =>
    checkFields(path, given, {
      username: required("a user name", line("a user name")),
      password: { required: "a password", check: credential },
    }),
};

/** One kind of credentials at most, and not where everybody on the way could read them. */
export function checkCredentials(given: Fields): Issue[] {
  if (given["bearerToken"] === undefined || given["basicAuth"] === undefined) return [];
  return [{ path: "basicAuth", given: "also bearerToken", wanted: "one of basicAuth and bearerToken" }];
}

export function authOf(given: Fields): { readonly auth?: GateAuth } {
  if (given["bearerToken"] !== undefined) return { auth: { kind: "bearer" } };
  const basic = given["basicAuth"];
  return isFields(basic) ? { auth: { kind: "basic", username: String(basic["username"]) } } : {};
}
