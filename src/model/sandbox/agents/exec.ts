import { at } from "../../check";
import { line, required, type FieldSpecs, type ValueCheck } from "../../field-checks";
import { issue } from "../../issues";
import { parsePath, type AbsolutePath } from "../../names";
import { checkStop, type AgentStop } from "./stop";

/** Any program of the hosts that takes one job, runs it and ends. */
export interface ExecAgent {
  readonly kind: "exec";
  /**
   * The program by its absolute path, then its arguments, passed as they are. Everybody on the host can read them: no
   * secrets.
   */
  readonly command: readonly [AbsolutePath, ...string[]];
  /**
   * How it is told to finish its job and take no other.
   * @default SIGTERM, and 2 minutes
   */
  readonly stop?: AgentStop;
}

export function execFields(isUnknown: (value: unknown) => boolean): FieldSpecs {
  return {
    command: required('a command such as ["/usr/local/bin/runner", "--once"]', checkCommand),
    stop: checkStop(isUnknown),
  };
}

/** A program by its absolute path, then arguments of one line each. */
export const checkCommand: ValueCheck = (path, given) => {
  const wanted = 'a program by its absolute path and its arguments, such as ["/usr/bin/env", "true"]';
  if (!Array.isArray(given) || given.length === 0) return [issue(path, given, wanted)];
  const [program, ...rest] = given as unknown[];
  const isProgram = parsePath("", program).issue === undefined;
  return [
    ...(isProgram ? [] : [issue(at(path, 0), program, "a program by its absolute path, without white space")]),
    ...rest.flatMap((word, index) => (word === "" ? [] : argument(at(path, index + 1), word))),
  ];
};

const oneLine = line("an argument");

/** systemd drops a line of a unit that holds a code point which is no character. */
const argument: ValueCheck = (path, given) =>
  typeof given === "string" && /\p{Noncharacter_Code_Point}/u.test(given)
    ? [issue(path, given, "an argument of Unicode characters")]
    : oneLine(path, given);
