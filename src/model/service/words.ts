import { at } from "../check";
import { issue, type Issue } from "../issues";
import type { ValueCheck } from "../field-checks";
import { checkProgramName } from "./release-check";

/**
 * Places that stand for a directory of the service in its arguments and in its environment: `{state}` becomes
 * `/var/lib/<user>`, and so on. Any other text in braces stays as it is.
 */
export const PLACES = ["files", "credentials", "state", "cache", "logs", "runtime"] as const;

export type ServicePlaceName = (typeof PLACES)[number];

/** Names of the directories that a text asks for. */
export function placesIn(text: string): ServicePlaceName[] {
  return PLACES.filter((name) => text.includes(`{${name}}`));
}

/** A program and its arguments, one line each; the program by its absolute path, or by its path in the release. */
export const checkWords: ValueCheck = (path, given) => {
  if (!Array.isArray(given) || given.length === 0) {
    return [issue(path, given, 'a program of the release and its arguments, such as ["buildcached", "--listen", "…"]')];
  }
  const [program, ...rest] = given as unknown[];
  return [
    ...checkProgram(at(path, 0), program),
    ...rest.flatMap((word, index) => checkWord(at(path, index + 1), word)),
  ];
};

/** The service's own command line: its program by its name, which the release has. */
export const checkStart: ValueCheck = (path, given) => {
  const issues = checkWords(path, given);
  return issues.length > 0 || !Array.isArray(given) ? issues : checkProgramName(at(path, 0), given[0]);
};

const PROGRAM = /^\/?[A-Za-z0-9_][A-Za-z0-9_.+-]*(\/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$/;

function checkProgram(path: string, given: unknown): Issue[] {
  if (typeof given === "string" && PROGRAM.test(given)) return [];
  return [issue(path, given, 'a program by its name, its path in the release, or an absolute path: "bin/buildcached"')];
}

/** systemd drops a line of a unit that holds a code point which is no character. */
function checkWord(path: string, given: unknown): Issue[] {
  const good = typeof given === "string" && !/[\p{Cc}\p{Cs}\u2028\u2029\p{Noncharacter_Code_Point}]/u.test(given);
  return good ? [] : [issue(path, given, "an argument of one line")];
}
