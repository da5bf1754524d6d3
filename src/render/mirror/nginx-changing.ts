import type { Front } from "../../model/mirror/front-resolve";
import { onward, source } from "./nginx-headers";
import { FAILED, firstTier, hostHeader, STALE_WHEN_FAILED } from "./nginx-tiers";
import { block, lines, pattern, word } from "./nginx-text";
import { END, MODULE, VERSION } from "./nginx-versions";

/** Lists of versions, `@latest`, and what a branch or an incomplete version stands for now. */
export function mutableLocations(front: Front): string {
  const { tiers, fresh, wait } = front;
  const location = (path: string, seconds: number) =>
    block(
      `location ~ ${pattern(path)}`,
      `proxy_read_timeout ${seconds}s;`,
      `proxy_cache_lock_timeout ${seconds}s;`,
      `proxy_cache_lock_age ${seconds}s;`,
      `proxy_cache_valid 200 ${fresh}s;`,
      // While one request refreshes an answer, the others get the old one. A tier's answer is better than an old one.
      `proxy_cache_use_stale updating${tiers.length > 0 ? "" : ` ${STALE_WHEN_FAILED}`};`,
      source("athens"),
      "proxy_pass http://gomod-athens$uri;",
      tiers.length > 0 ? `error_page ${FAILED} = ${firstTier("list")};` : "",
    );
  return lines(
    location(`^/${MODULE}/(?:@v/list|@latest)${END}`, wait.list),
    // Athens fetches what such a name stands for.
    location(`^/${MODULE}/@v/[A-Za-z0-9._+~!-]+\\.info${END}`, wait.fetch),
    "",
  );
}

/** The checksum databases, without any name that is private. See https://go.dev/ref/mod#checksum-database. */
export function sumdbLocations(front: Front): string {
  const { databases, privateModules, fresh } = front;
  if (databases.length === 0) return "";
  const base = `^/sumdb/(?:${databases.map((each) => each.replace(/[.-]/g, "\\$&")).join("|")})`;
  const refusePrivate = privateModules.length > 0 ? block("if ($gomod_private)", "return 403;") : "";
  const location = (path: string, keep: number, first = "") =>
    block(
      `location ~ ${pattern(`${base}${path}`)}`,
      first,
      passedOn(front),
      `proxy_cache_valid 200 ${keep}s;`,
      `proxy_cache_use_stale updating ${STALE_WHEN_FAILED};`,
    );
  return lines(
    location(`/lookup/${MODULE}@${VERSION}${END}`, LOOKUP, refusePrivate),
    // Other spellings, and databases that are not asked: nothing goes out, but the answer is the same.
    block(`location ~ ${pattern("^/sumdb/[^/]+/lookup/")}`, refusePrivate, "return 404;"),
    location(`/(?:supported|latest)${END}`, fresh),
    location(`/tile/[0-9]+/(?:[0-9]+|data)/[x0-9/]+(?:\\.p/[0-9]+)?${END}`, front.cacheKeep),
    "",
  );
}

/** Seconds for which a record is fresh; the signed tree that comes with it may be older than the newest one. */
const LOOKUP = 3600;

function passedOn({ sumdbThrough, resolver, wait }: Front): string {
  if (sumdbThrough === undefined) {
    return lines(`proxy_read_timeout ${wait.list}s;`, source("athens"), "proxy_pass http://gomod-athens$uri;");
  }
  const { scheme, host, port, prefix } = sumdbThrough;
  const group = resolver.length > 0 ? `${host}:${port}` : "gomod-sumdb";
  return lines(
    onward(word`${hostHeader(host, port, scheme)}`),
    `proxy_ssl_name ${word`${host}`};`,
    `proxy_read_timeout ${wait.tier}s;`,
    source("sumdb"),
    `proxy_pass ${word`${scheme}://${group}${prefix}$uri`};`,
  );
}
