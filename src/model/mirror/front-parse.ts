import { isIP, isIPv6 } from "node:net";
import type { Parsed } from "../check";
import { issue } from "../issues";
import { parseAddress } from "../names";

/** A mirror's base URL, taken apart. */
export interface TierAddress {
  readonly scheme: "http" | "https";
  /** Host name or address, IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
  /** Path before the module's, without a slash at the end; often empty. */
  readonly prefix: string;
}

/** The name in GOPROXY. */
export function parseDomain(path: string, given: unknown): Parsed<string> {
  const wanted = 'the name in GOPROXY, such as "goproxy.corp.example": lower case, without scheme and port';
  const ok = !parseAddress(path, given).issue && given === String(given).toLowerCase();
  return ok && typeof given === "string" ? { value: given } : { issue: issue(path, given, wanted) };
}

/** A module proxy's base URL: `https://goproxy.corp.example` or with a port and a path; `http` on loopback only. */
export function parseTierUrl(path: string, given: unknown): Parsed<TierAddress> {
  const wanted = 'a base URL such as "https://goproxy-b.corp.example"; http on loopback only';
  // Credentials are in a URL's middle: no part of one that was refused is shown but its host.
  const refuse = (what = wanted) => ({ issue: issue(path, typeof given === "string" ? shown(given) : given, what) });
  if (typeof given !== "string" || !URL.canParse(given) || !/^https?:\/\/[^\s]+$/.test(given)) return refuse();
  const url = new URL(given);
  if (url.username !== "" || url.password !== "")
    return refuse("a URL without user and password: it is shown in plans");
  if (url.search !== "" || url.hash !== "" || given.endsWith("?") || given.endsWith("#"))
    return refuse("a URL without query and fragment");
  const prefix = url.pathname.replace(/\/+$/, "");
  if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(prefix) || /\/\.\.?(\/|$)/.test(prefix)) return refuse("a URL with a plain path");
  if (parseAddress(path, bare(url.hostname)).issue) return refuse();
  if (url.protocol === "http:" && !isLoopback(url.hostname)) return refuse("an https URL: http is for loopback only");
  const scheme = url.protocol === "http:" ? "http" : "https";
  return { value: { scheme, host: url.hostname, port: Number(url.port || (scheme === "http" ? 80 : 443)), prefix } };
}

/** An nginx version as one number that compares: `1.25.1` → 1025001. */
export function parseNginxVersion(path: string, given: unknown): Parsed<number> {
  const [, major, minor, patch = "0"] = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?$/.exec(String(given)) ?? [];
  const version = Number(major) * 1_000_000 + Number(minor) * 1_000 + Number(patch);
  const ok = typeof given === "string" && version >= 1_018_000;
  return ok ? { value: version } : { issue: issue(path, given, 'a version such as "1.22" or "1.25.1", 1.18 or newer') };
}

/** A network in CIDR form, or one address. */
export function parseRange(path: string, given: unknown): Parsed<string> {
  const wanted = 'a network such as "10.1.0.0/16" or "2001:db8::/32"';
  if (typeof given !== "string") return { issue: issue(path, given, wanted) };
  const [address = "", length, ...rest] = given.split("/");
  const kind = address.includes("%") ? 0 : isIP(address);
  const longest = kind === 4 ? 32 : 128;
  const lengthOk = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= longest);
  return kind !== 0 && rest.length === 0 && lengthOk ? { value: given } : { issue: issue(path, given, wanted) };
}

/** A name that can be part of a variable, a label or a header. */
export function parseShortName(path: string, given: unknown): Parsed<string> {
  const wanted = "a short name: a-z, 0-9 and '-', beginning with a letter, at most 32 characters";
  const ok = typeof given === "string" && /^[a-z][a-z0-9-]{0,31}$/.test(given);
  return ok ? { value: given } : { issue: issue(path, given, wanted) };
}

/** An address and a port as nginx and URLs write them: IPv6 in brackets. */
export function socketAddress(address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

function shown(url: string): string {
  return url.replace(/\/\/[^/]*@/, "//…@");
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
}
