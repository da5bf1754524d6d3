import { at, hasControlCharacter, isFields } from "../check";
import { parseSha256 } from "../checksum";
import { hasCredentials, isUrl } from "../go-env-values";
import { compareGoVersions, isGoVersion } from "../go-version";
import { issue, type Issue } from "../issues";
import { ATHENS_RELEASES, type AthensVersion } from "./athens-versions";
import { below, byKind, checkFields, listOf, matching, parsed, required, url, type ValueCheck } from "../field-checks";

/** Where the program comes from. */
export const checkBinary: ValueCheck = (path, given) => {
  const download: ValueCheck = (here, value) =>
    checkFields(here, value, {
      url: required("a URL", url("an http or https URL")),
      sha256: required("64 hex digits", parsed(parseSha256)),
    });
  const downloads = { amd64: download, arm64: download };
  const proxy = url("a module proxy's base URL", ({ search, hash }) => search + hash === "");
  const issues = byKind({
    file: downloads,
    archive: {
      ...downloads,
      program: matching(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "a path in the archive"),
    },
    module: {
      proxy: (here, value) => (Array.isArray(value) ? listOf(proxy, "proxies")(here, value) : proxy(here, value)),
    },
  })(path, given);
  if (!isFields(given) || (given.kind !== "file" && given.kind !== "archive")) return issues;
  const ofFile = given.kind === "file" ? [given.amd64, given.arm64].filter(isFields) : [];
  const misnamed = ofFile.find(({ url: from }) => typeof from === "string" && !/\/athens$/.test(from));
  return [
    ...issues,
    ...(given.amd64 === undefined && given.arm64 === undefined
      ? [issue(at(path, "amd64"), undefined, "amd64, arm64 or both")]
      : []),
    ...(misnamed ? [issue(path, misnamed.url, "a URL that ends in /athens: the file gets that name")] : []),
  ];
};

/** An older toolchain would refuse the module on the host, for it may not fetch another one. */
export function checkBuilder(
  path: string,
  binary: unknown,
  version: AthensVersion,
  goVersion: string | undefined,
): Issue[] {
  const fromModule = binary === undefined || (isFields(binary) && binary.kind === "module");
  const needed = ATHENS_RELEASES[version].go;
  if (!fromModule || goVersion === undefined || !isGoVersion(goVersion)) return [];
  if (compareGoVersions(goVersion, needed) >= 0) return [];
  const wanted = `Go ${needed} or newer, which Athens ${version} needs to be built, or a finished binary`;
  return [issue(below(path, "binary.kind"), `module, by go${goVersion}`, wanted)];
}

/** The proxies of a GOPROXY, without `direct` and `off`. */
export function moduleProxies(goProxy: string): string[] {
  return goProxy.split(/[,|]/).filter((entry) => isUrl(entry) && !hasCredentials(entry) && !hasControlCharacter(entry));
}
