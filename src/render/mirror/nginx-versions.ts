import type { Front } from "../../model/mirror/front-resolve";
import type { AbsolutePath } from "../../model/names";
import { source } from "./nginx-headers";
import type { NginxPlace } from "./nginx-place";
import { FAILED, firstTier, STALE_WHEN_FAILED } from "./nginx-tiers";
import { block, lines, pattern, word } from "./nginx-text";

/**
 * Paths as they travel: lower case, with `!` before what is upper case in the name. Only full semantic versions never
 * change. Their characters need no percent encoding, so `$uri` can be passed on as it is.
 */
export const MODULE = String.raw`[a-z0-9._~!-]+(?:/[a-z0-9._~!-]+)*`;
export const VERSION = String.raw`v[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.+!-]*`;

/** Of a path: `$` would let a line break follow, and what goes on to others is the path as it is. */
export const END = String.raw`\z`;

/** The same without upper case in the name: the store's directories are then called as the request says. */
const PLAIN_MODULE = MODULE.replaceAll("!", "");
const PLAIN_VERSION = VERSION.replaceAll("!", "");

const FILES = { mod: "go.mod", zip: "source.zip" } as const;
const TYPES = { info: "application/json", mod: '"text/plain; charset=UTF-8"', zip: "application/zip" } as const;

const BUT_500 = FAILED.replace("500 ", "");

const READ_ONLY = "this mirror's store is full and read-only: it serves what it has, and does not have this version";
const UNKNOWN = "no such version, or its origin cannot be reached; the answer to its .info says more";

/**
 * The files of full versions.
 *
 * Athens writes `.info` last and serves what it finds of a version that it is still writing, so nothing but `.info` is
 * asked of it for a version that is not known to be complete: when it has answered that, the files are complete.
 */
export function versionLocations(front: Front, place: NginxPlace): string {
  const { store } = front;
  return lines(
    store === undefined ? "" : storeLocations(front, place, store),
    athensLocations(front, place),
    infoSubrequests(front),
    unfetched(front),
    redirected(front),
    readOnlyLocations(front, place),
    "",
  );
}

/** Complete versions are read from the store; Athens need not run for them. */
function storeLocations(front: Front, place: NginxPlace, store: AbsolutePath): string {
  const path = (kind: string) =>
    pattern(`^/(?<gomod_m>${PLAIN_MODULE})/@v/(?<gomod_v>${PLAIN_VERSION})\\.${kind}${END}`);
  const info = word`${store}/$gomod_m/$gomod_v/$gomod_v.info`;
  const head = (kind: keyof typeof TYPES) => [`types { } default_type ${TYPES[kind]};`, source("store")];
  return lines(
    block(
      `location ~ ${path("info")}`,
      head("info"),
      // Athens creates the file and then writes it: an empty one must not be remembered.
      "open_file_cache_valid 1s;",
      `alias ${info};`,
      "error_page 404 = @info;",
    ),
    block(
      "location @info",
      ifReadOnly(front, place),
      once(),
      source("athens"),
      "proxy_pass http://gomod-athens$uri;",
      otherwise(front),
    ),
    modAlone("location @mod-alone", store, "@mod"),
    Object.entries(FILES).map(([kind, file]) =>
      lines(
        block(
          `location ~ ${path(kind)}`,
          head(kind as keyof typeof FILES),
          block(`if (!-f ${info})`, "return 418;"),
          `alias ${word`${store}/$gomod_m/$gomod_v/${file}`};`,
          `error_page 404 418 = @${kind === "mod" ? "mod-alone" : kind};`,
        ),
        block(
          `location @${kind}`,
          ifReadOnly(front, place),
          afterInfo("once"),
          `types { } default_type ${TYPES[kind as keyof typeof FILES]};`,
          source("athens"),
          `root ${word`${store}`};`,
          `try_files ${word`/$gomod_m/$gomod_v/${file}`} =502;`,
          otherwise(front, BUT_500),
        ),
      ),
    ),
  );
}

/** go.mod files of versions that have nothing else, as the store's keeper imports them: named as on the wire. */
function modAlone(location: string, store: AbsolutePath, otherwise: string): string {
  return block(
    location,
    `types { } default_type ${TYPES.mod};`,
    source("store"),
    `root ${word`${store}/.gofleet/mod`};`,
    `try_files $uri ${otherwise};`,
  );
}

/** Names that are not directories of the store, and every name where there is no store on this host. */
function athensLocations(front: Front, place: NginxPlace): string {
  const path = (kind: string) => pattern(`^/(?<gomod_m>${MODULE})/@v/(?<gomod_v>${VERSION})\\.${kind}${END}`);
  const readOnly = (kind: string) =>
    front.store === undefined
      ? ""
      : lines(
          "open_file_cache off;",
          block(`if (-f ${word`${place.readOnlyFlag}`})`, "return 530;"),
          `error_page 530 = @${kind}-read-only;`,
        );
  const info = [kept(INFO), source("athens"), "proxy_pass http://gomod-athens$uri;", otherwise(front)];
  const file = [
    afterInfo("kept"),
    kept(front.cacheKeep),
    source("athens"),
    "proxy_pass http://gomod-athens$uri;",
    otherwise(front, BUT_500),
  ];
  const absent = "error_page 404 410 = @absent;";
  return lines(
    block(`location ~ ${path("info")}`, readOnly("info"), info),
    front.store === undefined
      ? block(`location ~ ${path("(?:mod|zip)")}`, file)
      : [
          block(`location ~ ${path("zip")}`, readOnly("file"), file),
          modAlone(`location ~ ${path("mod")}`, front.store, "@mod-elsewhere"),
          block("location @mod-elsewhere", readOnly("file"), file),
        ],
    front.store === undefined
      ? ""
      : [block("location @info-read-only", info, absent), block("location @file-read-only", file, absent)],
  );
}

/** `.info` of the version that a request is about, from the same cache as the clients' own requests for it. */
function infoSubrequests(front: Front): string {
  const location = (name: string, caching: string) =>
    block(
      `location = /.gomod/${name}`,
      "internal;",
      caching,
      'proxy_cache_key "$gomod_generation/$gomod_m/@v/$gomod_v.info";',
      "proxy_intercept_errors off;",
      "proxy_pass http://gomod-athens/$gomod_m/@v/$gomod_v.info;",
    );
  return lines(front.store === undefined ? "" : location("once", once()), location("kept", kept(INFO)));
}

function afterInfo(name: "once" | "kept"): string {
  return lines(
    `auth_request /.gomod/${name};`,
    "auth_request_set $gomod_info $status;",
    // What auth_request makes of every status but 2xx, 401 and 403.
    "error_page 500 = @unfetched;",
  );
}

/** Athens did not get the version: the client hears what Athens said, or another mirror is asked. */
function unfetched(front: Front): string {
  return block(
    "location @unfetched",
    "default_type text/plain;",
    source("athens"),
    block(
      `if ($gomod_info ~ ${pattern("^4(?:04|10)$")})`,
      front.store === undefined ? `return 404 ${word`${UNKNOWN}`};` : "return 531;",
    ),
    block(`if ($gomod_info ~ ${pattern("^3")})`, "return 532;"),
    front.store === undefined ? "" : "error_page 531 = @absent;",
    "error_page 532 = @redirected;",
    "return 502;",
    otherwise(front),
  );
}

/** Athens' redirect modes answer every file of a version with another place's URL. */
function redirected(front: Front): string {
  return block(
    "location @redirected",
    source("athens"),
    "proxy_cache off;",
    "proxy_pass http://gomod-athens$uri;",
    otherwise(front),
  );
}

function readOnlyLocations(front: Front, place: NginxPlace): string {
  if (front.store === undefined) return "";
  return lines(
    block(
      "location @absent",
      "default_type text/plain;",
      source("athens"),
      ifReadOnly(front, place),
      `return 404 ${word`${UNKNOWN}`};`,
      otherwise(front),
    ),
    block("location @read-only", "default_type text/plain;", source("athens"), `return 503 ${word`${READ_ONLY}`};`),
  );
}

/** A version that the store lacks cannot come while the store must not grow. Where there are tiers, they may have it. */
function ifReadOnly({ tiers }: Front, { readOnlyFlag }: NginxPlace): string {
  return lines(
    // What is remembered of a file that is gone would keep the mirror read-only.
    "open_file_cache off;",
    block(`if (-f ${word`${readOnlyFlag}`})`, tiers.length > 0 ? "return 502;" : "return 533;"),
    tiers.length > 0 ? "" : "error_page 533 = @read-only;",
  );
}

/**
 * Kept just long enough that those who ask at the same time share one fetch, and never served when it is old: it lets a
 * request into the store, and what it said may not be true any more.
 */
function once(): string {
  return "proxy_cache_valid 200 1s;";
}

/** Seconds for which Athens' word on a version is taken whose files are in the cache or come from Athens. */
const INFO = 60;

/** @param seconds for which a found answer is fresh; one that is not found is never kept */
function kept(seconds: number): string {
  return lines(`proxy_cache_valid 200 ${seconds}s;`, `proxy_cache_use_stale updating ${STALE_WHEN_FAILED};`);
}

/** After `afterInfo` 500 has another meaning. */
function otherwise({ tiers }: Front, codes = FAILED): string {
  return tiers.length > 0 ? `error_page ${codes} = ${firstTier("version")};` : "";
}
