import type { TierAddress } from "../../model/mirror/front-parse";
import type { Front } from "../../model/mirror/front-resolve";
import { onward, source } from "./nginx-headers";
import { block, lines, word } from "./nginx-text";

/** What of Athens' answers, or of a tier's, sends a request to the next one. */
export const FAILED = "500 502 503 504";

/** The same as conditions of `proxy_cache_use_stale`. */
export const STALE_WHEN_FAILED = "error timeout http_500 http_502 http_503 http_504";

/** Answers that never change, and answers that do. */
type Kind = "version" | "list";

/** Where a request goes that Athens could not answer. */
export function firstTier(kind: Kind): string {
  return `@${kind}-1`;
}

/** For each place in the order, the tier that a client's region has there; empty where it has none. */
export function tierMaps(front: Front): string {
  const { tiers, regions } = front;
  if (tiers.length === 0) return "";
  const named = new Map(tiers.map((tier) => [tier.name, tier]));
  const order = [
    { region: "default", names: tiers.map(({ name }) => name) },
    ...regions.map(({ name, tiers }) => ({ region: `region-${name}`, names: tiers })),
  ];
  const places = tiers.map((_, index) => index);
  const map = (variable: string, of: (tier: TierAddress & { readonly name: string }) => string) =>
    places.map((index) =>
      block(
        `map $gomod_region $gomod_tier_${index + 1}${variable}`,
        order.map(({ region, names }) => {
          const tier = named.get(names[index] ?? "");
          return `${region} ${tier === undefined ? '""' : of(tier)};`;
        }),
      ),
    );
  return lines(
    block(
      "geo $gomod_region",
      'default "";',
      regions.flatMap(({ name, ranges }) => ranges.map((range) => `${range} region-${name};`)),
    ),
    map("", (tier) => word`${tier.scheme}://${group(front, tier)}${tier.prefix}`),
    map("_host", ({ host, port, scheme }) => word`${hostHeader(host, port, scheme)}`),
    map("_name", ({ host }) => word`${host.replace(/^\[|\]$/g, "")}`),
    map("_source", ({ name }) => word`${name}`),
  );
}

/** The tiers in order, each asked when the one before could not answer; in the end what there is of old answers. */
export function tierLocations(front: Front): string {
  const { tiers, privateModules } = front;
  if (tiers.length === 0) return "";
  return lines(
    (["version", "list"] as const).flatMap((kind) =>
      tiers.map((_, index) => tierLocation(front, kind, index + 1, index + 1 === tiers.length)),
    ),
    said("@version-last", 502, NOBODY),
    // Nobody listens there: it fails at once, and an old answer of Athens is served if there is one.
    old("@list-last", "@version-last"),
    privateModules.length > 0 ? [said("@version-private", 503, PRIVATE), old("@list-private", "@version-private")] : "",
  );
}

function said(name: string, status: number, sentence: string): string {
  return block(
    `location ${name}`,
    "default_type text/plain;",
    source("none"),
    `return ${status} ${word`${sentence}`};`,
  );
}

function old(name: string, otherwise: string): string {
  return block(
    `location ${name}`,
    `proxy_cache_use_stale ${STALE_WHEN_FAILED};`,
    source("athens"),
    "proxy_pass http://unix:/nonexistent:$uri;",
    `error_page ${FAILED} = ${otherwise};`,
  );
}

const PRIVATE = "this mirror cannot answer now, and no other one is asked for a private module";
const NOBODY = "neither this mirror nor another one can answer now";

function tierLocation(
  { privateModules, fresh, cacheKeep, wait }: Front,
  kind: Kind,
  place: number,
  last: boolean,
): string {
  const tier = `$gomod_tier_${place}`;
  const next = last ? `@${kind}-last` : `@${kind}-${place + 1}`;
  return block(
    `location @${kind}-${place}`,
    privateModules.length > 0
      ? lines(block("if ($gomod_private)", "return 530;"), `error_page 530 = @${kind}-private;`)
      : "",
    block(`if (${tier} = "")`, "return 502;"),
    onward(`${tier}_host`),
    `proxy_ssl_name ${tier}_name;`,
    `proxy_read_timeout ${wait.tier}s;`,
    // By tier: they may differ in what they list.
    `proxy_cache_key "${tier}_source $gomod_generation$uri";`,
    `proxy_cache_valid 200 ${kind === "list" ? fresh : cacheKeep}s;`,
    kind === "list" ? "proxy_cache_use_stale updating;" : "",
    source(`${tier}_source`),
    `proxy_pass ${tier}$uri;`,
    `error_page ${FAILED} = ${next};`,
  );
}

/** What a URL names: a group of servers that was resolved at the start, or a host that is resolved while nginx runs. */
function group({ resolver }: Front, { name, host, port }: TierAddress & { readonly name: string }): string {
  return resolver.length > 0 ? `${host}:${port}` : `tier-${name}`;
}

export function hostHeader(host: string, port: number, scheme: TierAddress["scheme"]): string {
  return port === (scheme === "http" ? 80 : 443) ? host : `${host}:${port}`;
}
