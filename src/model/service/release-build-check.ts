import { at, hasControlCharacter, isFields } from "../check";
import { checkFields, flag, listOf, oneOf, parsed, required, type ValueCheck } from "../field-checks";
import { parseGoVersion } from "../go-version";
import { issue } from "../issues";
import { PLATFORMS } from "../platform";

const checkPackage: ValueCheck = (path, given) =>
  typeof given === "string" &&
  /^[A-Za-z0-9.][\w.~/+-]*$/.test(given) &&
  !given.includes("...") &&
  !given.endsWith(".go")
    ? []
    : [issue(path, given, "one package, such as ./cmd/buildcached")];

const checkDirectory: ValueCheck = (path, given) =>
  typeof given === "string" && given !== "" && !hasControlCharacter(given) ? [] : [issue(path, given, "a directory")];

const checkTag: ValueCheck = (path, given) =>
  typeof given === "string" && /^[\p{L}\p{N}_.]+$/u.test(given) ? [] : [issue(path, given, "a build tag")];

/** The go command splits them at blanks, and takes quotes of one kind around a word. */
const checkFlag: ValueCheck = (path, given) => {
  const isWord = typeof given === "string" && given !== "" && !hasControlCharacter(given);
  return isWord && !(given.includes("'") && given.includes('"'))
    ? []
    : [issue(path, given, "a word for the linker, without ' or without \"")];
};

/** A flag may well be there twice. */
const checkFlags: ValueCheck = (path, given) =>
  Array.isArray(given)
    ? given.flatMap((each: unknown, index) => checkFlag(at(path, index), each))
    : [issue(path, given, 'a list of words, such as ["-s", "-w"]')];

/** Checks how a program is to be built. */
export const checkProgramBuild: ValueCheck = (path, given) => {
  if (typeof given === "string" || !isFields(given)) return [issue(path, given, '{ package: "./cmd/buildcached" }')];
  return checkFields(path, given, {
    package: required("one package, such as ./cmd/buildcached", checkPackage),
    directory: checkDirectory,
    platforms: listOf(oneOf(...PLATFORMS), `platforms (${PLATFORMS.join(", ")})`),
    go: parsed(parseGoVersion),
    tags: listOf(checkTag, "build tags"),
    ldflags: checkFlags,
    cgo: oneOf(false),
    vcs: flag,
  });
};
