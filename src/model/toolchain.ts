import type { GoEnv } from "./go-env-keys";
import type { GoVersion } from "./go-version";
import type { Platform } from "./platform";

/** What is known about one platform's release; at least one, as the source needs. */
export interface Checksums {
  /** sha256 of the official archive `go<version>.<platform>.tar.gz`, 64 hex digits. */
  readonly sha256?: string;
  /** `h1:` of the module `golang.org/toolchain@v0.0.1-go<version>.<platform>`, as the checksum database has it. */
  readonly h1?: string;
}

/** One exact Go release with its checksums; `lock("1.26")` makes it from the lock file. */
export interface GoRelease {
  /** Exact, such as `1.26.8`. */
  readonly version: GoVersion;
  /** By platform: a pool may be mixed. A host of a platform that is not listed is refused. */
  readonly checksums: { readonly [Key in Platform]?: Checksums };
}

/** The official archives, `<url>/go<version>.<platform>.tar.gz`, checked by `sha256`. */
export interface OfficialSource {
  readonly kind: "official";
  /**
   * An internal mirror's base URL.
   * @default "https://go.dev/dl"
   */
  readonly url?: string;
}

/** The `golang.org/toolchain` module through a Go module proxy, checked by `h1`. See https://go.dev/ref/mod#goproxy-protocol. */
export interface ModuleSource {
  readonly kind: "module";
  /** Base URLs of module proxies, in order of preference. */
  readonly proxy: string | readonly string[];
}

/**
 * Files of the operator's machine, pushed to hosts that do not have them: an official archive (`.tar.gz`, checked by
 * `sha256`) or a module zip (`.zip`, checked by `h1`).
 */
export interface FileSource {
  readonly kind: "file";
  /** By platform; relative paths begin at the project. */
  readonly paths: { readonly [Key in Platform]?: string };
  /**
   * Of releases besides `go`: version, then platform.
   * @default none
   */
  readonly also?: { readonly [version: string]: { readonly [Key in Platform]?: string } };
}

/** Where Go releases come from. */
export type GoSource = OfficialSource | ModuleSource | FileSource;

/**
 * A Go toolchain on a host. `Value` is the type of environment values: `string`, or an `Input<string>` in a program.
 */
export interface GoToolchain<Value = string> {
  /** The default release: what `go` runs. */
  readonly go: GoRelease;
  /**
   * Releases side by side with it, each reached as `go<version>`.
   * @default none
   */
  readonly also?: readonly GoRelease[];
  /**
   * Where the releases come from.
   * @default the official archives
   */
  readonly source?: GoSource;
  /**
   * Settings of the go command, the same for services, cron jobs, sudo and login shells. What is not set keeps the
   * release's own default, but for `GOTOOLCHAIN`.
   * @default { GOTOOLCHAIN: "local" }: builds never fetch another release by themselves
   * @see https://go.dev/ref/mod#environment-variables
   */
  readonly env?: GoEnv<Value>;
  /**
   * Whether to make `/usr/local/bin/go`, `gofmt` and `go<version>` for the releases in `also`.
   * @default true
   */
  readonly links?: boolean;
  /**
   * Whether login shells find this `go` before any other, by a script in `/etc/profile.d`.
   * @default true
   */
  readonly profile?: boolean;
  /**
   * The component's directory name under `/etc/gofleet`.
   * @default "<project>-<name>"
   */
  readonly directory?: string;
}

/** A toolchain with every default filled in. */
export type ResolvedToolchain<Value = string> = Required<Omit<GoToolchain<Value>, "directory">>;

/** The base URL of the official archives. */
export const OFFICIAL_URL = "https://go.dev/dl";

/** Fills in the defaults; done twice it changes nothing. */
export function resolveToolchain<Value>(given: GoToolchain<Value>): ResolvedToolchain<Value | string> {
  return {
    go: given.go,
    also: given.also ?? [],
    source: given.source ?? { kind: "official" },
    env: { GOTOOLCHAIN: "local", ...defined(given.env ?? {}) },
    links: given.links ?? true,
    profile: given.profile ?? true,
  };
}

/** The version of the `golang.org/toolchain` module for one release. */
export function toolchainModule(version: string, platform: Platform): string {
  return `v0.0.1-go${version}.${platform}`;
}

function defined<Value>(env: GoEnv<Value>): GoEnv<Value> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
