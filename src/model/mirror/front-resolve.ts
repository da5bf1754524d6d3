import type { Parsed } from "../check";
import type { AbsolutePath } from "../names";
import { parseDuration, parseSize } from "../units";
import type { FrontArgs, FrontLog, FrontTier, FrontTls } from "./front";
import { resolveAcme, type Acme } from "./front-acme";
import { parseNginxVersion, parseTierUrl, type TierAddress } from "./front-parse";
import type { PrivateModules } from "./private-modules";

/** What the front must know of the mirror it stands before. */
export interface FrontContext {
  /** Athens' disk store; undefined where Athens stores elsewhere, so that every answer goes through it. */
  readonly store?: AbsolutePath;
  /** @default none */
  readonly privateModules?: PrivateModules;
  /**
   * Where clients get private modules; from their repositories, the front gives none out.
   * @default "mirror"
   */
  readonly privateFrom?: "mirror" | "repository";
  /**
   * Seconds in which Athens gives up fetching a module (`ATHENS_STASH_TIMEOUT`).
   * @default 600
   */
  readonly stashTimeout?: number;
  /**
   * Seconds in which Athens gives up asking for versions (`ATHENS_TIMEOUT`).
   * @default 300
   */
  readonly timeout?: number;
}

/** `secret`: the chain is a file of ours and the key a secret. */
export type ResolvedTls =
  | { readonly kind: "secret" }
  | { readonly kind: "files"; readonly certificateFile: AbsolutePath; readonly keyFile: AbsolutePath }
  | { readonly kind: "acme"; readonly acme: Acme };

/** {@link FrontArgs} with every default in place, without the values: sizes in bytes, times in seconds. */
export interface Front {
  readonly domain: string;
  readonly tls: ResolvedTls;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly statusPort: number;
  /** Whether nginx knows `http2 on` (1.25.1 and newer). */
  readonly http2Directive: boolean;
  readonly workers: number | "auto";
  readonly connections: number;
  readonly limits: { readonly requests?: number; readonly burst: number; readonly connections?: number };
  readonly log: Required<Pick<FrontLog, "requests">> & Pick<FrontLog, "file">;
  /** Whether there are users and a CA of client certificates; undefined lets everyone in. */
  readonly access: { readonly users: boolean; readonly clientCa: boolean } | undefined;
  readonly databases: readonly string[];
  readonly sumdbThrough: TierAddress | undefined;
  readonly tiers: readonly (TierAddress & Pick<FrontTier, "name">)[];
  readonly regions: readonly {
    readonly name: string;
    readonly ranges: readonly string[];
    readonly tiers: readonly string[];
  }[];
  readonly caFile: AbsolutePath;
  readonly resolver: readonly string[];
  readonly fresh: number;
  readonly cacheBytes: number;
  readonly cacheKeep: number;
  readonly drain: number;
  /** Until an answer begins: Athens fetching a version, Athens naming versions, a tier. */
  readonly wait: { readonly fetch: number; readonly list: number; readonly tier: number };
  readonly store: AbsolutePath | undefined;
  readonly privateModules: PrivateModules;
  /** Whether private modules are given out to clients. */
  readonly servesPrivate: boolean;
}

/** The defaults of {@link FrontArgs}, as a person would write them. */
export const FRONT_DEFAULTS = {
  addresses: ["0.0.0.0", "::"],
  port: 443,
  statusPort: 9180,
  nginx: "1.22",
  connections: 8192,
  databases: ["sum.golang.org"],
  caFile: "/etc/ssl/certs/ca-certificates.crt",
  tierWait: "60 s",
  fresh: "60 s",
  cacheSize: "2 GiB",
  cacheKeep: "30 d",
  drain: "1 h",
} as const;

/** Athens ends a request after 15 minutes, whatever its settings are. */
const ATHENS_REQUEST = 900;

/** Seconds that nginx waits longer than Athens, so that it is Athens that says what went wrong. */
const MARGIN = 20;

/** Puts the defaults in place. The args must have passed `checkFront`. */
export function resolveFront(args: FrontArgs<unknown>, context: FrontContext = {}): Front {
  const { limits = {}, access, sumdb = {}, fallback, tls } = args;
  const { stashTimeout = 600, timeout = 300 } = context;
  const after = fallback?.after === undefined ? undefined : seconds(fallback.after);
  return {
    domain: args.domain,
    tls: resolveTls(tls),
    addresses: args.addresses ?? FRONT_DEFAULTS.addresses,
    port: args.port ?? FRONT_DEFAULTS.port,
    statusPort: args.statusPort ?? FRONT_DEFAULTS.statusPort,
    http2Directive: value(parseNginxVersion("nginx", args.nginx ?? FRONT_DEFAULTS.nginx)) >= 1_025_001,
    workers: args.workers ?? "auto",
    connections: args.connections ?? FRONT_DEFAULTS.connections,
    limits: { ...limits, burst: limits.burst ?? (limits.requests ?? 0) * 10 },
    log: { requests: args.log?.requests ?? "notable", file: args.log?.file },
    access:
      access === undefined
        ? undefined
        : { users: Object.keys(access.users ?? {}).length > 0, clientCa: access.clientCa !== undefined },
    databases: [...(sumdb.databases ?? FRONT_DEFAULTS.databases)].sort(),
    sumdbThrough: sumdb.through === undefined ? undefined : value(parseTierUrl("sumdb.through", sumdb.through)),
    tiers: (fallback?.tiers ?? []).map(({ name, url }) => ({ name, ...value(parseTierUrl("url", url)) })),
    regions: Object.entries(fallback?.regions ?? {})
      .map(([name, { ranges, tiers }]) => ({ name, ranges: [...ranges].sort(), tiers }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    caFile: fallback?.caFile ?? FRONT_DEFAULTS.caFile,
    resolver: fallback?.resolver ?? [],
    fresh: seconds(args.fresh ?? FRONT_DEFAULTS.fresh),
    cacheBytes: value(parseSize("cache.size", args.cache?.size ?? FRONT_DEFAULTS.cacheSize)),
    cacheKeep: seconds(args.cache?.keep ?? FRONT_DEFAULTS.cacheKeep),
    drain: seconds(args.drain ?? FRONT_DEFAULTS.drain),
    wait: {
      fetch: after ?? Math.max(stashTimeout, ATHENS_REQUEST) + MARGIN,
      list: after ?? timeout + MARGIN,
      tier: after ?? seconds(FRONT_DEFAULTS.tierWait),
    },
    store: context.store,
    privateModules: [...(context.privateModules ?? [])].sort(),
    servesPrivate: context.privateFrom !== "repository",
  };
}

function resolveTls(tls: FrontTls<unknown>): ResolvedTls {
  if (tls.acme !== undefined) return { kind: "acme", acme: resolveAcme(tls.acme) };
  return tls.certificateFile === undefined
    ? { kind: "secret" }
    : { kind: "files", certificateFile: tls.certificateFile, keyFile: tls.keyFile };
}

function seconds(duration: string): number {
  return value(parseDuration("duration", duration));
}

function value<T>(parsed: Parsed<T>): T {
  if (parsed.issue) throw new Error(`${parsed.issue.path}: wanted ${parsed.issue.wanted}`);
  return parsed.value;
}
