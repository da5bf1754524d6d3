import { isIP } from "node:net";
import { hasControlCharacter, type Parsed } from "./check";
import { issue } from "./issues";

/** An absolute path that a manifest can hold (docs/host-protocol.md). */
export type AbsolutePath = `/${string}`;

/** A systemd unit's file name, such as `buildcache.service` or `var-cache-go\x2dbuild.mount`. See systemd.unit(5). */
export type UnitName = `${string}.${(typeof UNIT_TYPES)[number]}`;

const UNIT_TYPES = ["service", "socket", "timer", "path", "mount", "automount", "swap", "slice", "target"] as const;

/**
 * An absolute path: no white space, control character, quote, `*`, `?`, `[` or `$`, no empty, `.` or `..` part, no
 * slash at the end; at most 255 bytes a part and 4095 in all.
 */
export function parsePath(path: string, given: unknown): Parsed<AbsolutePath> {
  const wanted = "an absolute path without white space, quotes, *, ?, [, $, // or . and .. parts";
  const refuse = (what = wanted) => ({ issue: issue(path, given, what) });
  if (typeof given !== "string" || !isAbsolute(given)) return refuse();
  if (given.startsWith("//") || /[\s"'`*?[$]/.test(given) || hasControlCharacter(given)) return refuse();
  const parts = given.slice(1).split("/");
  if (given !== "/" && parts.at(-1) === "") return refuse("an absolute path without a slash at the end");
  if (given === "/" || parts.some((part) => part === "" || part === "." || part === "..")) return refuse();
  const long = Buffer.byteLength(given) > 4095 || parts.some((part) => Buffer.byteLength(part) > 255);
  return long ? refuse("a path of at most 4095 bytes, 255 in each part") : { value: given };
}

/** A unit's file name, with its type: `buildcache.service`. */
export function parseUnitName(path: string, given: unknown): Parsed<UnitName> {
  const wanted = `a unit name such as "buildcache.service" (letters, digits and :_.\\@-, at most 255 characters)`;
  return typeof given === "string" && isUnitName(given) ? { value: given } : { issue: issue(path, given, wanted) };
}

/** A component's directory name under `/etc/gofleet`. */
export function parseComponentName(path: string, given: unknown): Parsed<string> {
  return pattern(
    path,
    given,
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    "a directory name: a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters",
  );
}

/** A host name, an IPv4 or an IPv6 address; without user, port or brackets. */
export function parseAddress(path: string, given: unknown): Parsed<string> {
  const wanted = 'a host name or an IP address such as "build-01.corp.example" or "192.0.2.7"; user and port apart';
  const name =
    /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
  if (typeof given !== "string") return { issue: issue(path, given, wanted) };
  // Digits and dots alone would be read as an IPv4 address by the resolver, so they must be one.
  const ok = isIP(given) !== 0 || (name.test(given) && !/^[\d.]+$/.test(given));
  return ok ? { value: given } : { issue: issue(path, given, wanted) };
}

/** A user or group name, as useradd(8) accepts it. */
export function parseUserName(path: string, given: unknown): Parsed<string> {
  const wanted = "a user name: a-z, 0-9, '_' and '-', beginning with a letter or '_', at most 32 characters";
  return pattern(path, given, /^[a-z_][a-z0-9_-]{0,31}$/, wanted);
}

/** The name of an environment variable. */
export function parseEnvName(path: string, given: unknown): Parsed<string> {
  return pattern(path, given, /^[A-Za-z_][A-Za-z0-9_]*$/, "a variable name: letters, digits and '_', no digit first");
}

function pattern(path: string, given: unknown, shape: RegExp, wanted: string): Parsed<string> {
  // `$` in a pattern also matches before a final newline in other dialects; here it does not (no `m` flag).
  return typeof given === "string" && shape.test(given) ? { value: given } : { issue: issue(path, given, wanted) };
}

function isAbsolute(text: string): text is AbsolutePath {
  return text.startsWith("/");
}

function isUnitName(text: string): text is UnitName {
  const shape = new RegExp(`^[A-Za-z0-9:_.\\\\@-]+\\.(${UNIT_TYPES.join("|")})$`);
  return shape.test(text) && text.length <= 255 && !text.startsWith(".") && !text.startsWith("@");
}
