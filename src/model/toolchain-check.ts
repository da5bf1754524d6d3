import { at, isFields, issuesOf, unknownKeys, type CheckOptions } from "./check";
import { parseH1, parseSha256 } from "./checksum";
import { flag } from "./field-checks";
import { checkGoEnv } from "./go-env";
import { parseGoVersion } from "./go-version";
import { issue, type Issue } from "./issues";
import { parseComponentName } from "./names";
import { isPlatform, PLATFORMS, platformName } from "./platform";
import { checkFit, checkSource } from "./source-check";

const KEYS = ["go", "also", "source", "env", "links", "profile", "directory"] as const;

/** Options of {@link checkToolchain}. */
export interface ToolchainCheckOptions extends CheckOptions {
  /** Keys of the same args object that are not the toolchain's (`target`, `hooks`, …). */
  readonly otherKeys?: readonly string[];
}

/**
 * Checks the args of a toolchain, whatever their types: every issue there is, in the order of the args. An empty list
 * means that they are a `GoToolchain`.
 */
export function checkToolchain(args: unknown, options: ToolchainCheckOptions = {}): Issue[] {
  const { isUnknown = () => false, otherKeys = [] } = options;
  if (!isFields(args)) return [issue("", args, 'an object such as { target, go: lock("1.26") }')];
  const defaultVersion = versionOf(args.go);
  const check = (key: string, checker: (value: unknown) => Issue[]) => {
    const value = args[key];
    return value === undefined || isUnknown(value) ? [] : checker(value);
  };
  return [
    ...(args.go === undefined ? [issue("go", undefined, RELEASE)] : check("go", (go) => checkRelease("go", go))),
    ...check("also", (also) => checkAlso(also, defaultVersion)),
    ...check("source", checkSource),
    ...check("go", () => checkFit(args.go, args.also, args.source ?? { kind: "official" })),
    ...checkGoEnv("env", args.env, { isUnknown, defaultVersion }),
    ...check("links", (links) => flag("links", links)),
    ...check("profile", (profile) => flag("profile", profile)),
    ...check("directory", (directory) => issuesOf(parseComponentName("directory", directory))),
    ...unknownKeys("", args, [...KEYS, ...otherKeys]),
  ];
}

const RELEASE = 'a release with its checksums, such as lock("1.26") after: gofleet lock 1.26';

function checkRelease(path: string, given: unknown): Issue[] {
  if (typeof given === "string") {
    return [issue(path, given, `lock(${JSON.stringify(given.replace(/^go/, ""))}): a version alone has no checksums`)];
  }
  if (!isFields(given)) return [issue(path, given, RELEASE)];
  const { version, checksums } = given;
  return [
    ...(version === undefined
      ? [issue(at(path, "version"), undefined, 'an exact Go version such as "1.26.8"')]
      : issuesOf(parseGoVersion(at(path, "version"), version))),
    ...checkChecksums(at(path, "checksums"), checksums),
    ...unknownKeys(path, given, ["version", "checksums"]),
  ];
}

function checkChecksums(path: string, given: unknown): Issue[] {
  const wanted = `checksums by platform (${PLATFORMS.join(", ")}); gofleet lock writes them`;
  if (!isFields(given) || Object.keys(given).length === 0) return [issue(path, given, wanted)];
  return Object.entries(given).flatMap(([platform, sums]) => {
    const here = at(path, platform);
    if (sums === undefined) return [];
    if (!isPlatform(platform)) return [issue(here, sums, platformName(platform))];
    if (!isFields(sums)) return [issue(here, sums, '{ sha256: "<64 hex digits>" } or { h1: "h1:…" }, or both')];
    const { sha256, h1 } = sums;
    if (sha256 === undefined && h1 === undefined) return [issue(here, sums, "sha256, h1 or both")];
    return [
      ...(sha256 === undefined ? [] : issuesOf(parseSha256(at(here, "sha256"), sha256))),
      ...(h1 === undefined ? [] : issuesOf(parseH1(at(here, "h1"), h1))),
      ...unknownKeys(here, sums, ["sha256", "h1"]),
    ];
  });
}

function checkAlso(given: unknown, defaultVersion: string | undefined): Issue[] {
  if (!Array.isArray(given)) return [issue("also", given, 'a list of releases, such as [lock("1.25")]')];
  const seen = new Set(defaultVersion === undefined ? [] : [defaultVersion]);
  return given.flatMap((release: unknown, index) => {
    const path = at("also", index);
    const version = versionOf(release);
    const twice = version !== undefined && seen.has(version);
    if (version !== undefined) seen.add(version);
    return [
      ...checkRelease(path, release),
      ...(twice ? [issue(at(path, "version"), version, "each release once, and not the one in go")] : []),
    ];
  });
}

function versionOf(release: unknown): string | undefined {
  if (!isFields(release)) return undefined;
  const parsed = parseGoVersion("", release.version);
  return parsed.issue === undefined ? parsed.value : undefined;
}
