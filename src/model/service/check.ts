import { at, isFields, issuesOf, nearest, type CheckOptions, type Fields } from "../check";
import {
  below,
  checkFields,
  flag,
  listOf,
  matching,
  oneOf,
  parsed,
  required,
  type FieldSpecs,
  type ValueCheck,
} from "../field-checks";
import { issue, type Issue } from "../issues";
import { parseUnitName, parseUserName } from "../names";
import { parseDuration } from "../units";
import { DIRECTIVE_NAMES, DYNAMIC_DIRECTIVES } from "./directives";
import { checkEnvironment, checkEnvironmentFile, checkTelemetry } from "./environment";
import {
  checkHealth,
  checkHealthTogether,
  checkNotify,
  checkWatchdog,
  resolveHealth,
  type HealthFields,
} from "./health";
import { checkJournal } from "./journal";
import { checkServiceLimits } from "./limits";
import { checkListen, checkSockets } from "./listen";
import { publicProfiles } from "./pprof";
import { checkBreaker, checkRestart, type RestartArgs } from "./restart";
import { failingRuns } from "./service";
import { checkStart, checkWords, placesIn } from "./words";

/** Options of {@link checkService}. */
export interface ServiceCheckOptions extends CheckOptions {
  /** Keys of the same args object that are not the service's (`target`, `release`, …). */
  readonly otherKeys?: readonly string[];
}

/** The name of a configuration file or of a credential; systemd's own rule for the latter. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Checks the args of a service, whatever their types: every issue there is. */
export function checkService(args: unknown, options: ServiceCheckOptions = {}): Issue[] {
  const { isUnknown = () => false, otherKeys = [] } = options;
  if (!isFields(args)) return [issue("", args, "an object such as { target, release, exec, health }")];
  const own = Object.fromEntries(Object.entries(args).filter(([key]) => !otherKeys.includes(key)));
  // What there is must be known: only texts, variables and the content of files and secrets may come later.
  const each = checkFields("", own, specs(isUnknown));
  return each.length > 0 ? each : checkTogether(own);
}

function specs(isUnknown: (value: unknown) => boolean): FieldSpecs {
  const texts = named((path, value) =>
    isUnknown(value) || typeof value === "string" ? [] : [{ path, given: typeof value, wanted: "a text" }],
  );
  return {
    exec: required('the program of the release and its arguments, such as ["buildcached"]', checkStart),
    validate: checkWords,
    user: (path, user) => (user === "dynamic" ? [] : issuesOf(parseUserName(path, user))),
    directories: (path, given) => checkFields(path, given, { state: flag, cache: flag, logs: flag, runtime: flag }),
    env: (path, env) => checkEnvironment(path, env, { isUnknown }),
    environmentFiles: listOf(checkEnvironmentFile, "files of the host"),
    files: texts,
    secrets: texts,
    limits: checkServiceLimits,
    hardening: (path, given) => checkFields(path, given, { off: checkDirectives }),
    restart: checkRestart,
    onFailure: parsed(parseUnitName),
    health: checkHealth,
    notify: checkNotify,
    watchdog: checkWatchdog,
    stop: (path, given) =>
      checkFields(path, given, {
        signal: oneOf("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"),
        within: parsed(parseDuration),
      }),
    listen: checkListen,
    sockets: checkSockets,
    update: oneOf("restart", "reload", "socket"),
    reload: checkWords,
    journal: (path, journal) => checkJournal(path, journal, { isUnknown }),
    telemetry: checkTelemetry,
  };
}

/** Texts by a name that a file can have. */
function named(check: ValueCheck): ValueCheck {
  const name = matching(FILE_NAME, "a name of letters, digits, '_', '.' and '-', at most 128");
  return (path, given) => {
    // What is no object may be a secret itself.
    if (!isFields(given)) {
      return [{ path, given: typeof given, wanted: "texts by name; each of them may be an Output, not all of them" }];
    }
    return Object.entries(given).flatMap(([key, value]) => [
      ...name(at(path, key), key),
      ...check(at(path, key), value),
    ]);
  };
}

const checkDirectives = listOf((path, name) => {
  if (typeof name === "string" && DIRECTIVE_NAMES.includes(name)) return [];
  const near = typeof name === "string" ? nearest(name, DIRECTIVE_NAMES) : undefined;
  const hint = near === undefined ? "see the table in docs/go-service-unit.md" : `did you mean "${near}"?`;
  return [issue(path, name, `the name of a directive that services have; ${hint}`)];
}, 'directives to leave out, such as ["MemoryDenyWriteExecute"]');

/** What only several arguments together say; each of them is right. */
function checkTogether(args: Fields): Issue[] {
  const health = resolveHealth(args as HealthFields);
  return [
    ...checkHealthTogether(health),
    ...checkBreaker((args["restart"] ?? {}) as RestartArgs, failingRuns(health)),
    ...checkUpdate(args),
    ...checkDynamic(args),
    ...checkPlaces(args),
    ...publicProfiles(args),
  ];
}

function checkUpdate({ update, sockets, reload }: Fields): Issue[] {
  return [
    ...(update === "socket" && sockets === undefined
      ? [issue("sockets", undefined, 'a socket for update "socket", such as { http: { listen: "127.0.0.1:7070" } }')]
      : []),
    ...(reload !== undefined && update !== "reload"
      ? [issue("update", update, '"reload", for there is a reload command')]
      : []),
  ];
}

function checkDynamic({ user = "dynamic", hardening }: Fields): Issue[] {
  const off = isFields(hardening) && Array.isArray(hardening["off"]) ? (hardening["off"] as unknown[]) : [];
  if (user !== "dynamic") return [];
  return off.flatMap((name, index) =>
    DYNAMIC_DIRECTIVES.includes(String(name))
      ? [
          issue(
            at(below("hardening", "off"), index),
            name,
            "another one, or a named user: a dynamic one always has this",
          ),
        ]
      : [],
  );
}

/** A directory that a text asks for must be one that the service has. */
function checkPlaces({ exec, validate, reload, env, directories, files, secrets }: Fields): Issue[] {
  const has: Fields = { ...(isFields(directories) ? directories : {}), files, credentials: secrets };
  const texts: [string, unknown][] = [
    ...Object.entries({ exec, validate, reload }).flatMap(([key, words]) =>
      Array.isArray(words) ? words.map((word, index): [string, unknown] => [at(key, index), word]) : [],
    ),
    ...Object.entries(isFields(env) ? env : {}).map(([key, value]): [string, unknown] => [at("env", key), value]),
  ];
  return texts.flatMap(([path, text]) =>
    (typeof text === "string" ? placesIn(text) : []).flatMap((place) => {
      if (has[place] !== undefined && has[place] !== false) return [];
      const missing = place === "credentials" ? "secrets" : place === "files" ? "files" : `directories.${place}`;
      return [issue(path, `{${place}}`, `${missing}, or no {${place}}`)];
    }),
  );
}
