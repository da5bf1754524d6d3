import type { AbsolutePath } from "../names";
import type { Duration, Size } from "../units";
import type { FrontAcme } from "./front-acme";

/** The TLS front of a module mirror: nginx. `Value` is the type of certificates and passwords. */
export interface FrontArgs<Value = string> {
  /** The name in the clients' GOPROXY; the certificate must be for it. */
  readonly domain: string;
  /** The certificate that clients see. */
  readonly tls: FrontTls<Value>;
  /**
   * Addresses of the host on which the front listens; without `::` on a host whose kernel has no IPv6.
   * @default ["0.0.0.0", "::"]
   */
  readonly addresses?: readonly string[];
  /**
   * The port that clients use.
   * @default 443
   */
  readonly port?: number;
  /**
   * The port on 127.0.0.1 for metrics and readiness, never for clients: 1024 or above, and of its own for each mirror on
   * a host.
   * @default 9180
   */
  readonly statusPort?: number;
  /**
   * Version of the host's nginx, as `nginx -v` says; 1.18 or newer. It decides how HTTP/2 is switched on.
   * @default "1.22"
   */
  readonly nginx?: string;
  /**
   * Worker processes.
   * @default one for each CPU
   */
  readonly workers?: number;
  /**
   * Connections of each worker. A request that goes on to Athens needs two.
   * @default 8192
   */
  readonly connections?: number;
  /**
   * Bounds for each client address. A fleet behind one address shares them.
   * @default none
   */
  readonly limits?: FrontLimits;
  /**
   * What is logged of requests.
   * @default what failed, into the journal
   */
  readonly log?: FrontLog;
  /**
   * Who may ask for modules; without it, everyone who reaches the front.
   * @default everyone
   */
  readonly access?: FrontAccess<Value>;
  /**
   * Checksum databases for clients.
   * @default sum.golang.org, through Athens
   */
  readonly sumdb?: FrontSumdb;
  /**
   * Other mirrors, asked in order while this host's Athens cannot answer; never for private modules.
   * @default none
   */
  readonly fallback?: FrontFallback;
  /**
   * How long an answer that can change (a list of versions, `@latest`, a branch) is taken for fresh.
   * @default "60 s"
   */
  readonly fresh?: Duration;
  /**
   * Answers that nginx cannot read from the store.
   * @default 2 GiB, for 30 days
   */
  readonly cache?: FrontCache;
  /**
   * How long downloads may go on in workers of before a reload.
   * @default "1 h"
   */
  readonly drain?: Duration;
}

/**
 * The certificate's chain (PEM, leaf first) and its key (PEM, secret); or files on the host that something else renews:
 * the front reloads when they change; or what the host gets for itself by ACME. An ECDSA key costs the server half as
 * much for each new connection as RSA.
 */
export type FrontTls<Value = string> = FrontTlsTexts<Value> | FrontTlsFiles<Value> | FrontTlsAcme<Value>;

/** A certificate whose texts the program has. */
export interface FrontTlsTexts<Value = string> extends FrontTlsTrust<Value> {
  /** The chain, PEM, leaf first. */
  readonly certificate: Value;
  /** The key, PEM; a secret. */
  readonly key: Value;
  readonly certificateFile?: never;
  readonly keyFile?: never;
  readonly acme?: never;
}

/** A certificate that something else puts on the host and renews. */
export interface FrontTlsFiles<Value = string> extends FrontTlsTrust<Value> {
  /** The chain, PEM, leaf first. */
  readonly certificateFile: AbsolutePath;
  /** The key, PEM. */
  readonly keyFile: AbsolutePath;
  readonly certificate?: never;
  readonly key?: never;
  readonly acme?: never;
}

/** A certificate that the host gets for itself. */
export interface FrontTlsAcme<Value = string> {
  /** From whom, and how. */
  readonly acme: FrontAcme<Value>;
  readonly certificate?: never;
  readonly key?: never;
  readonly certificateFile?: never;
  readonly keyFile?: never;
  /** Not here: `acme.ca`. */
  readonly ca?: never;
}

/** What clients must trust. */
export interface FrontTlsTrust<Value = string> {
  /**
   * The CA that signed the chain's last certificate (PEM), where the clients' own stores lack it. It is not served.
   * @default a public CA
   */
  readonly ca?: Value;
}

/** Bounds for each client address. */
export interface FrontLimits {
  /**
   * Requests a second; what is above `burst` gets 429.
   * @default no bound
   */
  readonly requests?: number;
  /**
   * Requests above the rate that are still taken at once.
   * @default ten times `requests`: one `go mod download` asks for hundreds of files
   */
  readonly burst?: number;
  /**
   * Connections at a time. With HTTP/2 every stream counts as one.
   * @default no bound
   */
  readonly connections?: number;
}

/** One JSON object a line: no credentials, no query strings. */
export interface FrontLog {
  /**
   * Which requests; `notable`: what failed or could not be answered from the host's disk.
   * @default "notable"
   */
  readonly requests?: "all" | "notable" | "none";
  /**
   * A file on the host; something else must rotate it.
   * @default the journal
   */
  readonly file?: AbsolutePath;
}

/** At least one of the two; a client that passes either is let in. */
export interface FrontAccess<Value = string> {
  /**
   * Basic auth, for clients with netrc or GOAUTH: passwords by user name. They are checked on every request, so they are
   * stored with a fast hash and must be long and random: 24 characters or more.
   */
  readonly users?: Readonly<Record<string, Value>>;
  /** Browsers and operators with a certificate of this CA (PEM). The go command cannot present one. */
  readonly clientCa?: Value;
}

/** Which checksum databases clients reach through the mirror, and how. */
export interface FrontSumdb {
  /**
   * Checksum databases that clients may ask for.
   * @default ["sum.golang.org"]
   */
  readonly databases?: readonly string[];
  /**
   * Base URL of a module proxy that passes them on below `/sumdb/`, where the network lets out to that proxy only.
   * @default through Athens, which asks the databases themselves
   */
  readonly through?: string;
}

/** Other mirrors for when this one's Athens does not answer. */
export interface FrontFallback {
  /** In the order in which they are asked, after this host's Athens. */
  readonly tiers: readonly FrontTier[];
  /** Another order for clients of some networks, by the region's name. The narrowest range counts. */
  readonly regions?: Readonly<Record<string, FrontRegion>>;
  /**
   * How long Athens, and then each tier, may take to begin its answer before the next one is asked.
   * @default Athens' own limits for Athens, "60 s" for a tier
   */
  readonly after?: Duration;
  /**
   * CA certificates for the tiers' names, PEM.
   * @default "/etc/ssl/certs/ca-certificates.crt"
   */
  readonly caFile?: AbsolutePath;
  /**
   * DNS servers that are asked for the tiers' addresses while nginx runs.
   * @default the host's own resolver, when nginx starts or reloads; a name that it cannot resolve keeps nginx from starting
   */
  readonly resolver?: readonly string[];
}

/** Another mirror. */
export interface FrontTier {
  /** A short name, for logs and the answer's `X-Gomod-Source`. */
  readonly name: string;
  /** Base URL as in GOPROXY; `http` on loopback only. */
  readonly url: string;
}

/** Clients of some networks, and the mirrors that are near them. */
export interface FrontRegion {
  /** Networks of the clients: `10.1.0.0/16`, `2001:db8::/32`. */
  readonly ranges: readonly string[];
  /** Names of tiers, in this region's order; tiers that are left out are not asked. */
  readonly tiers: readonly string[];
}

/** What nginx keeps of answers that it cannot read from the store. */
export interface FrontCache {
  /**
   * Most that it may hold.
   * @default "2 GiB"
   */
  readonly size?: Size;
  /**
   * How long an answer that nobody asks for stays; also how old an answer can be that is served while nothing else can
   * answer.
   * @default "30 d"
   */
  readonly keep?: Duration;
}
