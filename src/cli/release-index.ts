import { isFields } from "../model/check";
import { parseSha256 } from "../model/checksum";
import { isGoVersion } from "../model/go-version";
import { isPlatform, type Platform } from "../model/platform";

/** Something that may be out of reach: the thing, or why it is not to be had. */
export type Reached<T> =
  { readonly value: T; readonly problem?: undefined } | { readonly value?: undefined; readonly problem: string };

/** The published archives: exact version → platform → sha256. */
export type ReleaseIndex = ReadonlyMap<string, ReadonlyMap<Platform, string>>;

const TIMEOUT = 20_000;

/** Reads the release index of go.dev or of a mirror of it. See https://go.dev/dl/?mode=json. */
export async function fetchIndex(base: string): Promise<Reached<ReleaseIndex>> {
  const problem = refused(base);
  if (problem) throw new Error(problem);
  const url = `${base.replace(/\/+$/, "")}/?mode=json&include=all`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    if (!response.ok) return { problem: `${url} answered ${response.status}` };
    const index = parseIndex(await response.json());
    return index.size === 0 ? { problem: `${url} lists no Go release` } : { value: index };
  } catch (error) {
    return { problem: `${url} cannot be read (${reason(error)})` };
  }
}

/** Anyone on the way could change a checksum that comes without TLS. */
function refused(base: string): string | undefined {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url?.username || url?.password) return "--url must hold no user name and password";
  if (url?.protocol === "https:") return undefined;
  const loopback = url?.protocol === "http:" && /^(127\.0\.0\.\d+|localhost|\[::1\])$/.test(url.hostname);
  return loopback ? undefined : `--url: given ${JSON.stringify(base)}, wanted an https URL such as https://go.dev/dl`;
}

function parseIndex(given: unknown): ReleaseIndex {
  const releases: readonly unknown[] = Array.isArray(given) ? given : [];
  const index = new Map<string, Map<Platform, string>>();
  for (const release of releases) {
    if (!isFields(release) || typeof release.version !== "string" || !Array.isArray(release.files)) continue;
    const version = release.version.replace(/^go/, "");
    const archives = new Map(release.files.flatMap((file: unknown) => archiveOf(file)));
    if (isGoVersion(version) && archives.size > 0) index.set(version, archives);
  }
  return index;
}

function archiveOf(file: unknown): readonly (readonly [Platform, string])[] {
  if (!isFields(file) || file.kind !== "archive") return [];
  const platform = `${String(file.os)}-${String(file.arch)}`;
  const sha256 = parseSha256("sha256", file.sha256);
  return isPlatform(platform) && sha256.issue === undefined ? [[platform, sha256.value]] : [];
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
