import { at, isFields, issuesOf, unknownKeys, type CheckOptions, type Parsed } from "../check";
import { flag, optional } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parseDuration, parsePercent } from "../units";
import { STORE_DEFAULTS } from "./store";

const KEYS = ["alertAt", "readOnlyAt", "watchEvery", "repairEvery", "readAllWithin", "gc", "offline"] as const;
const GC_KEYS = ["unusedFor", "keepNewerThan", "keep"] as const;

/** A pattern as `path.Match` reads it, element by element: anything but white space, commas and empty elements. */
const PATTERN = /^[^\s,/]+(\/[^\s,/]+)*$/;

/** Checks a mirror's {@link StoreArgs}, whatever their types: every issue there is, in the order of the keys. */
export function checkStore(path: string, args: unknown, { isUnknown = () => false }: CheckOptions = {}): Issue[] {
  if (args === undefined || isUnknown(args)) return [];
  if (!isFields(args)) return [issue(path, args, 'an object such as { alertAt: "80 %" }')];
  const check = (key: string, parse: (path: string, given: unknown) => Parsed<unknown>) => {
    const given = args[key];
    return given === undefined || isUnknown(given) ? [] : issuesOf(parse(at(path, key), given));
  };
  return [
    ...check("alertAt", parseShare),
    ...check("readOnlyAt", parseShare),
    ...checkOrder(path, args.alertAt, args.readOnlyAt),
    ...check("watchEvery", atLeast(1, '"1 s"')),
    ...check("repairEvery", atLeast(60, '"1 min"')),
    ...check("readAllWithin", atLeast(3600, '"1 h"')),
    ...(args.gc === undefined || isUnknown(args.gc) ? [] : checkGc(at(path, "gc"), args.gc, args.offline)),
    ...(isUnknown(args.offline) ? [] : optional(at(path, "offline"), args.offline, flag)),
    ...unknownKeys(path, args, KEYS),
  ];
}

function checkOrder(path: string, alertAt: unknown, readOnlyAt: unknown): Issue[] {
  const low = parsePercent("", alertAt ?? STORE_DEFAULTS.alertAt).value;
  const high = parsePercent("", readOnlyAt ?? STORE_DEFAULTS.readOnlyAt).value;
  if (low === undefined || high === undefined || low < high) return [];
  const wanted = `a share above alertAt (${low} %), which is where the store becomes writable again`;
  return [issue(at(path, "readOnlyAt"), readOnlyAt ?? STORE_DEFAULTS.readOnlyAt, wanted)];
}

function checkGc(path: string, gc: unknown, offline: unknown): Issue[] {
  if (!isFields(gc)) return [issue(path, gc, 'an object such as { unusedFor: "90 d" }')];
  const check = (key: string, parse: (path: string, given: unknown) => Parsed<unknown>) =>
    gc[key] === undefined ? [] : issuesOf(parse(at(path, key), gc[key]));
  return [
    ...check("unusedFor", atLeast(2 * 86400, '"2 d": times of last use are exact to a day')),
    ...(offline === true && gc.unusedFor !== undefined
      ? [issue(at(path, "unusedFor"), gc.unusedFor, "nothing while offline is true: what goes cannot be fetched again")]
      : []),
    ...check("keepNewerThan", parseDuration),
    ...(gc.keep === undefined ? [] : checkPatterns(at(path, "keep"), gc.keep)),
    ...unknownKeys(path, gc, GC_KEYS),
  ];
}

function checkPatterns(path: string, keep: unknown): Issue[] {
  const wanted = 'a pattern of module path prefixes such as "git.corp.example/*"';
  if (!Array.isArray(keep)) return [issue(path, keep, 'a list of patterns, such as ["git.corp.example/*"]')];
  return keep.flatMap((pattern: unknown, index) =>
    typeof pattern === "string" && PATTERN.test(pattern) ? [] : [issue(at(path, index), pattern, wanted)],
  );
}

function parseShare(path: string, given: unknown): Parsed<number> {
  const parsed = parsePercent(path, given);
  const wanted = 'a share from "1 %" to "99 %"';
  return parsed.issue === undefined && (parsed.value < 1 || parsed.value > 99)
    ? { issue: issue(path, given, wanted) }
    : parsed;
}

function atLeast(seconds: number, wanted: string) {
  return (path: string, given: unknown): Parsed<number> => {
    const parsed = parseDuration(path, given);
    return parsed.issue === undefined && parsed.value < seconds
      ? { issue: issue(path, given, `at least ${wanted}`) }
      : parsed;
  };
}
