import { isIP } from "node:net";
import { at, isFields, issuesOf, unknownKeys, type CheckOptions, type Parsed } from "../check";
import { issue, type Issue } from "../issues";
import { parseAddress, parsePath } from "../names";
import { isCertificates } from "../pem";
import { parseDuration, parseSize } from "../units";
import { checkFallback } from "./front-fallback-check";
import { checkAcmeDomain, checkAcmePort } from "./front-acme-check";
import { parseDomain, parseNginxVersion, parseTierUrl } from "./front-parse";
import { checkTls, TLS, withoutSecrets } from "./front-tls-check";
import { FRONT_DEFAULTS } from "./front-resolve";

const FRONT_KEYS = [
  ...[
    "domain",
    "tls",
    "addresses",
    "port",
    "statusPort",
    "nginx",
    "workers",
    "connections",
    "limits",
    "log",
    "access",
    "sumdb",
  ],
  ...["fallback", "fresh", "cache", "drain"],
] as const;

/** Options of {@link checkFront}. */
export interface FrontCheckOptions extends CheckOptions {
  /** Keys of the same args object that are not the front's. */
  readonly otherKeys?: readonly string[];
  /** When certificates must be valid; without it their dates are not looked at. */
  readonly now?: Date;
}

/**
 * Checks the args of a front, whatever their types: every issue there is, in the order of the args. An empty list means
 * that they are `FrontArgs`, as far as their values are known. Neither keys nor passwords are part of an issue.
 */
export function checkFront(path: string, args: unknown, options: FrontCheckOptions = {}): Issue[] {
  const { isUnknown = () => false, otherKeys = [] } = options;
  if (!isFields(args)) return [issue(path, args, 'an object such as { domain: "goproxy.corp.example", tls: … }')];
  const check = (key: string, checker: (value: unknown, path: string) => Issue[]) => {
    const value = args[key];
    return value === undefined || isUnknown(value) ? [] : checker(value, at(path, key));
  };
  const required = (key: string, wanted: string) =>
    args[key] === undefined ? [issue(at(path, key), undefined, wanted)] : [];
  const acme = isFields(args.tls) ? args.tls.acme : undefined;
  return [
    ...required("domain", 'the name in GOPROXY, such as "goproxy.corp.example"'),
    ...check("domain", acme === undefined ? parsed(parseDomain) : (name, here) => checkAcmeDomain(here, name, acme)),
    ...required("tls", TLS),
    ...check("tls", (tls, here) => checkTls(here, tls, args.domain, options)),
    ...check("addresses", checkAddresses),
    ...check("port", whole(1, 65535)),
    ...(acme === undefined ? [] : check("port", flip(checkAcmePort))),
    ...check("statusPort", (port, here) => checkStatusPort(here, port, args.port ?? FRONT_DEFAULTS.port)),
    ...check("nginx", parsed(parseNginxVersion)),
    ...check("workers", whole(1, 512)),
    ...check("connections", whole(1024, 1_000_000)),
    ...check("limits", (limits, here) =>
      checkFields(here, limits, {
        requests: whole(1, 1_000_000),
        burst: whole(0, 1_000_000),
        connections: whole(1, 65535),
      }),
    ),
    ...check("log", (log, here) =>
      checkFields(here, log, { requests: oneOf("all", "notable", "none"), file: parsed(parseLogFile) }),
    ),
    ...check("access", (access, here) => checkAccess(here, access, isUnknown)),
    ...check("sumdb", (sumdb, here) =>
      checkFields(here, sumdb, { databases: checkDatabases, through: parsed(parseTierUrl) }),
    ),
    ...check("fallback", checkFallback),
    ...check("fresh", (fresh, here) => checkTime(here, fresh)),
    ...check("cache", (cache, here) => checkFields(here, cache, { size: checkCacheSize, keep: flip(checkTime) })),
    ...check("drain", (drain, here) => checkTime(here, drain)),
    ...unknownKeys(path, args, [...FRONT_KEYS, ...otherKeys]),
  ];
}

function checkStatusPort(path: string, given: unknown, port: unknown): Issue[] {
  if (given === port) return [issue(path, given, "another port than the clients'")];
  return whole(1024, 65535)(given, path);
}

function parseLogFile(path: string, given: unknown): Parsed<string> {
  const file = parsePath(path, given);
  if (file.issue) return file;
  // The directory becomes writable for the service.
  const ok = /^\/[^/]+\/[^/]+/.test(file.value);
  return ok
    ? file
    : { issue: issue(path, given, 'a file in a directory for logs, such as "/var/log/goproxy/access.log"') };
}

function checkAddresses(given: unknown, path: string): Issue[] {
  if (!Array.isArray(given) || given.length === 0)
    return [issue(path, given, 'a list of addresses such as ["0.0.0.0", "::"]')];
  return given.flatMap((each: unknown, index) => {
    const ok = typeof each === "string" && isIP(each) !== 0 && !each.includes("%");
    const twice = given.indexOf(each) !== index;
    return ok && !twice ? [] : [issue(at(path, index), each, "an IP address of the host, each once")];
  });
}

function checkAccess(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  const wanted = "users with their passwords, the CA of client certificates, or both";
  if (!isFields(given) || (given.users === undefined && given.clientCa === undefined))
    return [issue(path, undefined, wanted)];
  const { users, clientCa } = given;
  return [
    ...(users === undefined ? [] : checkUsers(at(path, "users"), users, isUnknown)),
    ...(clientCa === undefined || isUnknown(clientCa) ? [] : checkClientCa(at(path, "clientCa"), clientCa)),
    ...unknownKeys(path, withoutSecrets(given), ["users", "clientCa"]),
  ];
}

function checkUsers(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (!isFields(given) || Object.keys(given).length === 0) return [issue(path, undefined, "passwords by user name")];
  return Object.entries(given).flatMap(([user, password]) => [
    ...(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(user)
      ? []
      : [issue(path, user, "a user name: letters, digits and . _ @ -")]),
    ...(isUnknown(password) ? [] : checkPassword(at(path, user), password)),
  ]);
}

/** A password of a user; not part of the issue. Also for one that becomes known later. */
export function checkPassword(path: string, given: unknown): Issue[] {
  const plain = typeof given === "string" && /^[\x21-\x7e]{24,255}$/.test(given) && new Set(given).size >= 8;
  return plain
    ? []
    : [issue(path, undefined, "24 or more random printable ASCII characters (what was given is not shown)")];
}

/** The CA of client certificates. Also for one that becomes known later. */
export function checkClientCa(path: string, given: unknown): Issue[] {
  return isCertificates(given) ? [] : [issue(path, undefined, "CA certificates as PEM")];
}

function checkDatabases(given: unknown, path: string): Issue[] {
  if (!Array.isArray(given)) return [issue(path, given, 'a list of names such as ["sum.golang.org"]')];
  return given.flatMap((each: unknown, index) => {
    const ok = typeof each === "string" && each.includes(".") && !parseAddress(path, each).issue && isIP(each) === 0;
    return ok ? [] : [issue(at(path, index), each, 'the name of a checksum database, such as "sum.golang.org"')];
  });
}

function checkTime(path: string, given: unknown): Issue[] {
  const time = parseDuration(path, given);
  if (time.issue) return [time.issue];
  return Number.isInteger(time.value) && time.value > 0 ? [] : [issue(path, given, "whole seconds, at least one")];
}

function checkCacheSize(given: unknown, path: string): Issue[] {
  const size = parseSize(path, given);
  if (size.issue) return [size.issue];
  return size.value >= 2 ** 20 ? [] : [issue(path, given, '"1 MiB" or more')];
}

type Checker = (value: unknown, path: string) => Issue[];

function checkFields(path: string, given: unknown, checkers: Readonly<Record<string, Checker>>): Issue[] {
  const known = Object.keys(checkers);
  if (!isFields(given)) return [issue(path, given, `an object with ${known.join(", ")}`)];
  return [
    ...Object.entries(checkers).flatMap(([key, checker]) =>
      given[key] === undefined ? [] : checker(given[key], at(path, key)),
    ),
    ...unknownKeys(path, given, known),
  ];
}

function parsed(parse: (path: string, given: unknown) => { readonly issue?: Issue }): Checker {
  return (value, path) => issuesOf(parse(path, value));
}

function flip(checker: (path: string, given: unknown) => Issue[]): Checker {
  return (value, path) => checker(path, value);
}

function whole(least: number, most: number): Checker {
  return (value, path) => {
    const ok = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
    return ok ? [] : [issue(path, value, `a whole number from ${least} to ${most}`)];
  };
}

function oneOf(...words: readonly string[]): Checker {
  return (value, path) =>
    words.some((each) => each === value) ? [] : [issue(path, value, `one of ${words.join(", ")}`)];
}
