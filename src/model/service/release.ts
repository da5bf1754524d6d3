import type { Platform } from "../platform";
import type { ProgramBuild } from "./release-build";
import type { ProgramIdentity } from "./release-identity";

/** One for every architecture, or one by platform: `{ "linux-amd64": …, "linux-arm64": … }`. */
export type ByPlatform<T> = T | { readonly [Key in Platform]?: T };

/**
 * A program, or an archive with it, that each host fetches by itself: from the first byte on checked against `sha256`.
 * The host asks without a name or a password; see docs/go-service-releases.md for what to do where that is not enough.
 */
export interface UrlRelease {
  /** An `http` or `https` address; `{arch}` in it becomes `amd64` or `arm64`. */
  readonly url: ByPlatform<string>;
  /**
   * sha256 of what is at `url`, 64 hex digits. A host of a platform that is not listed is refused; a single one is for
   * hosts of any platform, and the program in it says which that is.
   */
  readonly sha256: ByPlatform<string>;
  /**
   * What is at `url` is a `.tar.gz`, and this is the program's path in it, without the directory that is around
   * everything, if there is one: `buildcached`, `bin/buildcached`. Its last part is `exec[0]`.
   * @default what is at `url` is the program itself
   */
  readonly program?: string;
  /**
   * What the program must say of itself.
   * @default anything
   */
  readonly identity?: ProgramIdentity;
}

/**
 * A program on the operator's machine, sent to hosts that do not have it. It is read at every preview, and its sha256 is
 * part of the release.
 */
export interface FileRelease {
  /** A path; a relative one begins at the project. A single one is for hosts of its own architecture. */
  readonly file: ByPlatform<string>;
  /**
   * What the program must say of itself.
   * @default anything
   */
  readonly identity?: ProgramIdentity;
}

/**
 * A program built on the operator's machine, at every preview, and sent to hosts that do not have it. The same sources,
 * settings and Go make the same program, wherever they are built.
 */
export interface BuildRelease {
  /** What is built, and how. */
  readonly build: ProgramBuild;
  /**
   * What the program must say of itself.
   * @default anything
   */
  readonly identity?: ProgramIdentity;
}

/** Where a service's program comes from. */
export type ServiceRelease = UrlRelease | FileRelease | BuildRelease;

/** A release as a plan takes it, wherever it comes from. */
export interface ResolvedRelease {
  /** `tar.gz`: an archive that has the program in it. */
  readonly format: "file" | "tar.gz";
  /** The program's path below the directory of the download; its last part is `exec[0]`. */
  readonly program: string;
  readonly variants: readonly ReleaseVariant[];
  readonly identity: ProgramIdentity;
}

/** One architecture's program. */
export interface ReleaseVariant {
  readonly arch: ReleaseArch;
  /** 64 hex digits, lower case. */
  readonly sha256: string;
  /** Where hosts fetch it. */
  readonly url?: string;
  /** Where it is on the operator's machine. */
  readonly file?: string;
}

/** `any`: whatever the program itself is for. */
export type ReleaseArch = "amd64" | "arm64" | "any";

/** `linux-amd64` → `amd64`. */
export function archOf(platform: Platform): "amd64" | "arm64" {
  return platform === "linux-amd64" ? "amd64" : "arm64";
}

export function isUrlRelease(release: ServiceRelease): release is UrlRelease {
  return "url" in release;
}

export function isFileRelease(release: ServiceRelease): release is FileRelease {
  return "file" in release;
}

/**
 * A release that hosts fetch, as a plan takes it.
 * @param release one that {@link checkRelease} of release-check.ts has no issue with
 * @param program the service's `exec[0]`
 */
export function resolveUrlRelease(release: UrlRelease, program: string): ResolvedRelease {
  const { url, sha256, identity = {} } = release;
  return {
    format: release.program === undefined ? "file" : "tar.gz",
    program: release.program ?? program,
    variants:
      typeof sha256 === "string"
        ? [{ arch: "any", sha256: sha256.toLowerCase(), url: typeof url === "string" ? url : undefined }]
        : platformsOf(sha256).map(([platform, sum]) => ({
            arch: archOf(platform),
            sha256: sum.toLowerCase(),
            url: typeof url === "string" ? url.replaceAll("{arch}", archOf(platform)) : url[platform],
          })),
    identity,
  };
}

/** What is there, by platform, in the order of their names. */
export function platformsOf<T>(by: { readonly [Key in Platform]?: T }): [Platform, T][] {
  const all = Object.entries(by) as [Platform, T | undefined][];
  return all.filter((each): each is [Platform, T] => each[1] !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
}
