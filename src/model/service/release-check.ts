import { at, isFields, unknownKeys, type Fields } from "../check";
import { parseSha256 } from "../checksum";
import { matching, url as urlCheck, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { isPlatform, PLATFORMS, platformName } from "../platform";
import { checkProgramBuild } from "./release-build-check";
import { checkIdentity } from "./release-identity";

/** The name of a service's program, its `exec[0]`. */
export const checkProgramName: ValueCheck = matching(
  /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
  'a file name such as "buildcached": letters, digits and ._+-, at most 64; arguments follow in the list',
);

const KINDS: Readonly<Record<string, readonly string[]>> = {
  url: ["url", "sha256", "program", "identity"],
  file: ["file", "identity"],
  build: ["build", "identity"],
};
const WANTED = "one of { url, sha256 }, { file } and { build: { package } }";

/**
 * Everything that is wrong with a release.
 * @param program the service's `exec[0]`, where that is right
 */
export function checkRelease(path: string, given: unknown, program?: string): Issue[] {
  if (!isFields(given)) return [issue(path, given, WANTED)];
  const kinds = Object.keys(KINDS).filter((key) => given[key] !== undefined);
  const [kind, other] = kinds;
  if (kind === undefined) return [issue(path, Object.keys(given), WANTED)];
  if (other !== undefined) return [issue(path, kinds, WANTED)];
  return [
    ...checkKind(kind, path, given, program),
    ...(given.identity === undefined ? [] : checkIdentity(at(path, "identity"), given.identity)),
    ...unknownKeys(path, given, KINDS[kind] ?? []),
  ];
}

function checkKind(kind: string, path: string, given: Fields, program: string | undefined): Issue[] {
  if (kind === "build") return checkProgramBuild(at(path, "build"), given.build);
  if (kind === "file") return byPlatform(at(path, "file"), given.file, "a file", checkFile);
  return [
    ...byPlatform(at(path, "url"), given.url, "a URL", checkUrl(given.program !== undefined)),
    ...(given.sha256 === undefined
      ? [issue(at(path, "sha256"), undefined, "the sha256 of what is at url, 64 hex digits")]
      : byPlatform(at(path, "sha256"), given.sha256, "a sha256", (here, sum) => {
          const { issue: wrong } = parseSha256(here, sum);
          return wrong === undefined ? [] : [{ ...wrong, wanted: wrong.wanted.replace(/[;:] gofleet lock .*$/, "") }];
        })),
    ...checkPairs(path, given.url, given.sha256),
    ...(given.program === undefined ? [] : checkArchived(at(path, "program"), given.program, program)),
  ];
}

/** One value, or one by platform. */
function byPlatform(path: string, given: unknown, what: string, check: ValueCheck): Issue[] {
  if (!isFields(given)) return check(path, given);
  const wanted = `${what}, or ${what} by platform (${PLATFORMS.join(", ")})`;
  if (Object.values(given).every((each) => each === undefined)) return [issue(path, given, wanted)];
  return Object.entries(given).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return isPlatform(key) ? check(at(path, key), value) : [issue(at(path, key), value, platformName(key))];
  });
}

/** Which checksum is whose must be plain. */
function checkPairs(path: string, url: unknown, sha256: unknown): Issue[] {
  if (sha256 === undefined) return [];
  const here = at(path, "sha256");
  if (isFields(url)) {
    if (!isFields(sha256)) return [issue(here, sha256, "one by platform, as for url")];
    return PLATFORMS.flatMap((platform) => {
      if ((url[platform] === undefined) === (sha256[platform] === undefined)) return [];
      const [missing, there] = url[platform] === undefined ? ["url", "sha256"] : ["sha256", "url"];
      return [issue(at(at(path, missing), platform), undefined, `one for each platform of ${there}`)];
    });
  }
  if (typeof url !== "string") return [];
  if (url.includes("{arch}")) {
    return isFields(sha256) ? [] : [issue(here, sha256, "one by platform, for url has {arch}")];
  }
  const several = isFields(sha256) && PLATFORMS.filter((each) => sha256[each] !== undefined).length > 1;
  return several ? [issue(at(path, "url"), url, "{arch} in it, or one by platform, for sha256 has several")] : [];
}

function checkUrl(isArchive: boolean): ValueCheck {
  const plain = urlCheck("an http or https URL, such as https://dl.corp.example/buildcached-1.8.2-linux-{arch}");
  return (path, given) => {
    const bare = typeof given === "string" ? given.replaceAll("{arch}", "amd64") : given;
    const wrong = plain(path, bare);
    if (wrong.length > 0) return wrong;
    const text = String(given);
    // Written into the settings that curl reads, in quotes.
    if (/["\\\s\p{Cc}{}#]/u.test(String(bare)))
      return [issue(path, given, 'a URL without white space, ", \\, # and other {…} than {arch}')];
    const last = /^[^?]*/.exec(text)?.[0] ?? "";
    if (/\.(zip|bz2|xz|zst|deb|rpm)$/.test(last)) return [issue(path, given, "the program itself, or a .tar.gz")];
    if (/\.(tar\.gz|tgz)$/.test(last) && !isArchive)
      return [issue(path, given, 'program beside it: the path in the archive, such as "buildcached"')];
    return [];
  };
}

const checkFile: ValueCheck = (path, given) => {
  if (typeof given !== "string" || given === "" || /[\0\r\n]/.test(given)) return [issue(path, given, "a file's path")];
  return /\.(tar\.gz|tgz|zip)$/.test(given) ? [issue(path, given, "the program itself, unpacked")] : [];
};

function checkArchived(path: string, given: unknown, program: string | undefined): Issue[] {
  const parts = typeof given === "string" ? given.split("/") : [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 0 || !parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(part)))
    return [issue(path, given, 'a path in the archive, such as "bin/buildcached"')];
  return program === undefined || name === program
    ? []
    : [issue(path, given, `a path that ends in exec[0], ${program}`)];
}
