import { at, didYouMean, isFields, unknownKeys, type Fields } from "./check";
import { hasCredentials, isUrl } from "./go-env-values";
import { isGoVersion } from "./go-version";
import { hiddenIssue, issue, type Issue } from "./issues";
import { isPlatform, PLATFORMS, platformName } from "./platform";

const SOURCES: Readonly<Record<string, (source: Fields) => Issue[]>> = {
  official: (source) => [
    ...(source.url === undefined ? [] : checkUrl("source.url", source.url)),
    ...unknownKeys("source", source, ["kind", "url"]),
  ],
  module: (source) => [...checkProxy(source.proxy), ...unknownKeys("source", source, ["kind", "proxy"])],
  file: (source) => [
    ...checkPaths("source.paths", source.paths),
    ...checkOtherPaths(source.also),
    ...unknownKeys("source", source, ["kind", "paths", "also"]),
  ],
};

/** Checks a `source` argument by its kind. */
export function checkSource(given: unknown): Issue[] {
  const kinds = Object.keys(SOURCES);
  if (!isFields(given)) return [issue("source", given, `{ kind, … } with kind ${kinds.join(", ")}`)];
  const { kind } = given;
  const checker = typeof kind === "string" && Object.hasOwn(SOURCES, kind) ? SOURCES[kind] : undefined;
  if (checker) return checker(given);
  return [issue("source.kind", kind, typeof kind === "string" ? didYouMean(kind, kinds, "kind") : kinds.join(", "))];
}

function checkUrl(path: string, given: unknown): Issue[] {
  if (typeof given === "string" && hasCredentials(given)) {
    return [hiddenIssue(path, "a URL with credentials", "a URL without user name and password")];
  }
  const plain = typeof given === "string" && isUrl(given) && !/[?#]|\/$/.test(given);
  return plain ? [] : [issue(path, given, "an http or https URL without ?, # or a slash at the end")];
}

function checkProxy(given: unknown): Issue[] {
  const path = "source.proxy";
  const wanted = 'module proxy URLs, such as "https://goproxy.corp.example"';
  if (Array.isArray(given)) {
    if (given.length === 0) return [issue(path, given, wanted)];
    return given.flatMap((each: unknown, index) => checkUrl(at(path, index), each));
  }
  if (typeof given === "string" && !hasCredentials(given)) {
    if (/[,|]/.test(given)) return [issue(path, given, `a list: ${JSON.stringify(given.split(/[,|]/))}`)];
    if (given === "direct" || given === "off") {
      return [issue(path, given, `${wanted}; a toolchain module comes from a proxy only`)];
    }
  }
  return typeof given === "string" ? checkUrl(path, given) : [issue(path, given, wanted)];
}

function checkPaths(path: string, given: unknown): Issue[] {
  const wanted = `files by platform (${PLATFORMS.join(", ")})`;
  if (!isFields(given) || Object.keys(given).length === 0) return [issue(path, given, wanted)];
  return Object.entries(given).flatMap(([platform, file]) => {
    const here = at(path, platform);
    if (!isPlatform(platform)) return [issue(here, file, platformName(platform))];
    const archive = typeof file === "string" && /[^/]\.(tar\.gz|zip)$/.test(file) && !/[\0\r\n]/.test(file);
    return archive || file === undefined
      ? []
      : [issue(here, file, "an official archive (.tar.gz) or a toolchain module (.zip)")];
  });
}

function checkOtherPaths(given: unknown): Issue[] {
  const path = "source.also";
  if (given === undefined) return [];
  if (!isFields(given)) return [issue(path, given, "files by version, then platform")];
  return Object.entries(given).flatMap(([version, paths]) =>
    isGoVersion(version)
      ? checkPaths(at(path, version), paths)
      : [issue(at(path, version), paths, 'an exact Go version as the key, such as "1.25.10"')],
  );
}

/** Each release needs the checksum that its source is checked by, on each platform that the source has. */
export function checkFit(go: unknown, also: unknown, source: unknown): Issue[] {
  if (!isFields(source)) return [];
  const others: readonly unknown[] = Array.isArray(also) ? also : [];
  return [
    ...checkReleaseFit("go", go, source, "source.paths", source.paths),
    ...others.flatMap((release, index) => {
      const version = isFields(release) && typeof release.version === "string" ? release.version : "";
      const paths = isFields(source.also) ? source.also[version] : undefined;
      return checkReleaseFit(at("also", index), release, source, at("source.also", version), paths);
    }),
  ];
}

function checkReleaseFit(path: string, release: unknown, source: Fields, filesPath: string, files: unknown): Issue[] {
  if (!isFields(release) || typeof release.version !== "string" || !isFields(release.checksums)) return [];
  const { version, checksums } = release;
  const platforms = PLATFORMS.filter((platform) => isFields(checksums[platform]));
  if (source.kind === "file") {
    const paths = isFields(files) ? files : {};
    const present = platforms.filter((platform) => paths[platform] !== undefined);
    // Missing or empty paths of the default release have an issue of their own.
    const told = path === "go" && Object.keys(paths).length === 0;
    if (platforms.length > 0 && present.length === 0 && !told) {
      return [issue(filesPath, files, `a file of go${version} for ${platforms.join(" or ")}`)];
    }
    return present.flatMap((platform) => {
      const needs = String(paths[platform]).endsWith(".zip") ? "h1" : "sha256";
      return lacks(at(path, "checksums"), checksums, platform, needs, version);
    });
  }
  if (source.kind !== "official" && source.kind !== "module") return [];
  const needs = source.kind === "official" ? "sha256" : "h1";
  return platforms.flatMap((platform) => lacks(at(path, "checksums"), checksums, platform, needs, version));
}

function lacks(path: string, checksums: Fields, platform: string, needs: "sha256" | "h1", version: string): Issue[] {
  const sums = checksums[platform];
  const other = needs === "sha256" ? "h1" : "sha256";
  if (!isFields(sums) || sums[needs] !== undefined || sums[other] === undefined) return [];
  const instead = {
    sha256: 'or source: { kind: "module", proxy: … }, which is checked by the h1 that is there',
    h1: "or an archive as the source, which is checked by the sha256 that is there",
  }[needs];
  return [
    issue(at(at(path, platform), needs), undefined, `a ${needs} for this source (gofleet lock ${version}), ${instead}`),
  ];
}
