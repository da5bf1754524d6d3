import { parseDuration, type Duration, type Percent, type Size } from "../units";
import type { AthensIndex, AthensSingleFlight, AthensStorage } from "./athens-services";
import type { AthensVariable } from "./athens-variables";
import { NEWEST_ATHENS, type AthensStats, type AthensTracing, type AthensVersion } from "./athens-versions";
import type { AthensDownloadMode } from "./download-mode";

/**
 * Athens' settings on a host. Structure is plain; content is `Value`: `string`, or an `Input<string>` in a program.
 * What Athens accepts depends on its release. See https://docs.gomods.io/configuration/.
 */
export interface AthensArgs<Value = string, Version extends AthensVersion = AthensVersion> {
  /**
   * The release.
   * @default the newest one that gofleet knows
   */
  readonly version?: Version;
  /**
   * Where the program comes from.
   * @default built on the host from its Go module
   */
  readonly binary?: AthensBinary;
  /** Where modules are kept. */
  readonly storage: AthensStorage<Value>;
  /**
   * How hosts that share a store agree who fetches a version.
   * @default { kind: "memory" }
   */
  readonly singleFlight?: AthensSingleFlight<Value>;
  /**
   * What `/index` lists, which the front keeps from clients.
   * @default { kind: "none" }
   */
  readonly index?: AthensIndex<Value>;
  /**
   * How statistics are given out; `prometheus` is `/metrics`, which the front keeps from clients.
   * @default "prometheus"
   */
  readonly stats?: AthensStats<Version> | "none";
  /**
   * Where traces go.
   * @default none
   */
  readonly tracing?: AthensTracing<Version>;
  /**
   * What is done for a version that the store does not have.
   * @default { mode: "sync" }
   */
  readonly downloadMode?: AthensDownloadMode;
  /**
   * How lists and `@latest` are answered: `strict` fails where the upstream does, `fallback` then answers from the store,
   * `offline` always does.
   * @default "strict"
   */
  readonly networkMode?: "strict" | "offline" | "fallback";
  /**
   * Checksum databases that clients reach through the mirror: `https://` and a host, nothing more.
   * @default Athens' own: the one that go uses by default
   */
  readonly sumDatabases?: readonly string[];
  /**
   * How much is done at a time.
   * @default see `AthensWorkers`
   */
  readonly workers?: AthensWorkers;
  /**
   * How long things may take.
   * @default see `AthensTimeouts`
   */
  readonly timeouts?: AthensTimeouts;
  /**
   * How much is logged, and in which form.
   * @default JSON from level `info` on
   */
  readonly log?: AthensLog;
  /**
   * Environment of the go command that fetches modules, besides what Athens needs itself. No secrets: see `private`.
   * @default { GOPROXY: "direct" }: from the repositories
   */
  readonly goEnv?: Readonly<Record<string, Value>>;
  /**
   * Credentials for repositories of private modules.
   * @default none
   */
  readonly private?: AthensCredentials<Value>;
  /**
   * Asked by POST before each version is served or fetched: 200 lets it pass, 403 does not.
   * @default none
   */
  readonly validatorHook?: Value;
  /**
   * All paths begin with it, such as `/go`.
   * @default none
   */
  readonly pathPrefix?: string;
  /** Text of `/robots.txt`. @default none: the path answers 404 */
  readonly robots?: Value;
  /** An HTML template of Go for `/`. @default Athens' own */
  readonly homeTemplate?: Value;
  /** Go's profiler, on loopback. @default none */
  readonly pprof?: { readonly port: number };
  /** The HTTP proxy through which Athens and go reach the network. @default none */
  readonly egress?: AthensEgress<Value>;
  /**
   * What it may use of the host.
   * @default see `AthensLimits`
   */
  readonly limits?: AthensLimits;
  /**
   * Variables that no argument above is for. Their values are handed over as secrets.
   * @default none
   */
  readonly variables?: { readonly [Name in AthensVariable]?: Value };
}

/** Where the program comes from: fetched by the host and checked, or built on it. */
export type AthensBinary =
  | (AthensDownloads & {
      /** The executable itself, under the name `athens` (the last part of its URL). */
      readonly kind: "file";
    })
  | (AthensDownloads & {
      /** A `tar.gz`. A directory that is all it holds is left out when it is unpacked. */
      readonly kind: "archive";
      /** The executable's path, without that directory. @default "athens" */
      readonly program?: string;
    })
  | {
      /** Built on the host with the mirror's own Go toolchain, checked by the module's `h1` and its `go.sum`. */
      readonly kind: "module";
      /**
       * Base URLs of module proxies, in order of preference.
       * @default those in `goEnv.GOPROXY`; where it names none, what GOPROXY is for the mirror's toolchain on the host
       */
      readonly proxy?: string | readonly string[];
    };

/** By architecture: a pool may be mixed. */
export interface AthensDownloads {
  /**
   * For hosts with x86-64.
   * @default none: such a host is refused
   */
  readonly amd64?: AthensDownload;
  /**
   * For hosts with AArch64.
   * @default none: such a host is refused
   */
  readonly arm64?: AthensDownload;
}

/** One file of a release. */
export interface AthensDownload {
  /** Over http or https, without credentials. */
  readonly url: string;
  /** 64 hex digits of the file, checked before it is unpacked. */
  readonly sha256: string;
}

/** How much Athens does at a time. */
export interface AthensWorkers {
  /** `go mod download`s at a time. @default 10 */
  readonly fetch?: number;
  /** Requests at a time, those that wait for a fetch included: more than `fetch`. @default 30 */
  readonly request?: number;
}

/** How long things may take. */
export interface AthensTimeouts {
  /** Lists from upstream, and each call to the storage. @default "300 s" */
  readonly external?: Duration | string;
  /** The fetch of a version, from upstream into the store; at most 15 minutes. @default "600 s" */
  readonly stash?: Duration | string;
  /** What open requests get when Athens stops. @default "60 s" */
  readonly shutdown?: Duration | string;
}

/** What Athens logs, to the journal. */
export interface AthensLog {
  /**
   * From which level on.
   * @default "info"
   */
  readonly level?: "debug" | "info" | "warn" | "error";
  /** `gcp`: JSON in the words of Google Cloud Logging. @default "json" */
  readonly format?: "json" | "plain" | "gcp";
}

/** What Athens shows to repositories. Every client of the mirror sees every module that these open. */
export interface AthensCredentials<Value = string> {
  /** Text of a `.netrc`, for go and for git. Not together with `githubToken`. */
  readonly netrc?: Value;
  /** For github.com over HTTPS. */
  readonly githubToken?: Value;
  /** For git over SSH. */
  readonly ssh?: {
    /** An OpenSSH private key without a passphrase. */
    readonly key: Value;
    /** Lines of a `known_hosts`: another host's key is never accepted. */
    readonly knownHosts: Value;
    /**
     * Hosts whose `https://` repositories git takes by `ssh://git@<host>/` instead.
     * @default none: only what is named by `ssh://` in the first place
     */
    readonly hosts?: readonly string[];
  };
  /** Text of an `.hgrc`, for Mercurial. */
  readonly hgrc?: Value;
}

/** The way to the network, where there is only one. */
export interface AthensEgress<Value = string> {
  /** `http://proxy.corp.example:3128`; a secret, for it may hold user and password. */
  readonly proxy: Value;
  /** Hosts that are reached without it, as in NO_PROXY. @default none */
  readonly except?: readonly string[];
}

/** What Athens and the go and git processes below it may use. */
export interface AthensLimits {
  /** As in MemoryMax: a size or a share of the machine's memory. @default none */
  readonly memory?: Size | Percent | string;
  /** Processes and threads, as in TasksMax. @default 4096 */
  readonly tasks?: number;
  /** Open files, as in LimitNOFILE. @default 65536 */
  readonly openFiles?: number;
}

type Defaulted = "version" | "binary" | "singleFlight" | "index" | "stats" | "networkMode" | "goEnv" | "private";

/** Settings with every default filled in; durations are seconds. */
export type ResolvedAthens<Value = string> = Omit<
  AthensArgs<Value>,
  Defaulted | "workers" | "timeouts" | "log" | "limits" | "variables"
> &
  Required<Pick<AthensArgs<Value>, Defaulted | "variables">> & {
    readonly workers: Required<AthensWorkers>;
    readonly timeouts: { readonly [Key in keyof AthensTimeouts]-?: number };
    readonly log: Required<AthensLog>;
    readonly limits: AthensLimits & Required<Pick<AthensLimits, "tasks" | "openFiles">>;
  };

/** Fills in the defaults of args that have passed `checkAthens`. */
export function resolveAthens<Value>(given: AthensArgs<Value>): ResolvedAthens<Value | string> {
  const { workers = {}, timeouts = {}, log = {}, limits = {} } = given;
  return {
    ...given,
    version: given.version ?? NEWEST_ATHENS,
    binary: given.binary ?? { kind: "module" },
    singleFlight: given.singleFlight ?? { kind: "memory" },
    index: given.index ?? { kind: "none" },
    stats: given.stats ?? "prometheus",
    networkMode: given.networkMode ?? "strict",
    goEnv: { GOPROXY: "direct", ...given.goEnv },
    private: given.private ?? {},
    variables: given.variables ?? {},
    workers: { fetch: workers.fetch ?? 10, request: workers.request ?? 30 },
    timeouts: {
      external: seconds(timeouts.external, 300),
      stash: seconds(timeouts.stash, 600),
      shutdown: seconds(timeouts.shutdown, 60),
    },
    log: { level: log.level ?? "info", format: log.format ?? "json" },
    limits: { ...limits, tasks: limits.tasks ?? 4096, openFiles: limits.openFiles ?? 65536 },
  };
}

/** Seconds that Athens gives every request that fetches, whatever its settings: its source has it as a constant. */
export const REQUEST_SECONDS = 900;

/** Seconds of a duration that was checked before. */
export function seconds(given: string | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  const { value, issue } = parseDuration("", given);
  if (issue) throw new Error(`${JSON.stringify(given)} is not ${issue.wanted}`);
  return value;
}
