import { createHash } from "node:crypto";
import type { Front } from "../../model/mirror/front-resolve";
import { socketAddress } from "../../model/mirror/front-parse";
import { privatePathExpression } from "../../model/mirror/private-modules";
import { MARKER } from "../marker";
import { challengeServer } from "./nginx-challenge";
import { tierMaps } from "./nginx-tiers";
import type { NginxPlace } from "./nginx-place";
import { clientServer } from "./nginx-server";
import { statusServer } from "./nginx-status";
import { block, lines, pattern, word } from "./nginx-text";

/**
 * The whole nginx.conf of a mirror's front, an instance of its own: complete versions straight from the store,
 * everything else through Athens, other mirrors while Athens cannot answer. Its answers to `/healthz` carry its digest.
 * See https://go.dev/ref/mod#goproxy-protocol and https://nginx.org/en/docs/dirindex.html.
 */
export function nginxConfig(front: Front, place: NginxPlace): string {
  const digest = createHash("sha256")
    .update(configWith("", front, place))
    .digest("hex");
  return configWith(digest.slice(0, 16), front, place);
}

function configWith(digest: string, front: Front, place: NginxPlace): string {
  const main = lines(
    `user ${word`${place.frontUser}`};`,
    `worker_processes ${front.workers};`,
    `worker_rlimit_nofile ${openFiles(front)};`,
    `worker_shutdown_timeout ${front.drain}s;`,
    "daemon off;",
    `pid ${word`${place.run}/nginx.pid`};`,
    "error_log stderr warn;",
    block("events", `worker_connections ${front.connections};`),
  );
  const http = block(
    "http",
    base(place),
    logging(front, place),
    upstreams(front, place),
    maps(front, place),
    limits(front),
    "",
    clientServer(front, place, digest),
    "",
    place.challenges === undefined ? "" : challengeServer(front, place.challenges),
    statusServer(front, place),
  );
  return `${MARKER}\n\n${main}\n\n${http}\n`;
}

/** Descriptors of a worker: three for a connection that goes on and reads a file, and those of files kept open. */
export function openFiles({ connections }: Front): number {
  return connections * 3 + OPEN_FILES;
}

/** Files that nginx keeps open, and their limit in each worker. */
const OPEN_FILES = 20_000;

function base({ cache }: NginxPlace): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return lines(
    "default_type application/octet-stream;",
    "server_tokens off;",
    "sendfile on;",
    "tcp_nopush on;",
    // Zips are compressed, and their bytes are what go.sum has hashed.
    "gzip off;",
    "merge_slashes off;",
    "log_not_found off;",
    "recursive_error_pages on;",
    "client_max_body_size 1k;",
    "client_header_timeout 30s;",
    "keepalive_timeout 75s;",
    "keepalive_requests 10000;",
    "send_timeout 300s;",
    "reset_timedout_connection on;",
    `open_file_cache max=${OPEN_FILES} inactive=10m;`,
    // How long a file that is gone or was replaced can still be answered.
    "open_file_cache_valid 5s;",
    "open_file_cache_errors off;",
    temporary.map((kind) => `${kind}_temp_path ${word`${cache}/${kind}-temp`};`),
  );
}

function logging({ log }: Front, { component }: NginxPlace): string {
  if (log.requests === "none") return "access_log off;";
  const fields: Record<string, string> = {
    time: '"$time_iso8601"',
    client: '"$remote_addr"',
    user: '"$remote_user"',
    method: '"$request_method"',
    // The path alone: a query could carry anything.
    path: '"$uri"',
    protocol: '"$server_protocol"',
    status: "$status",
    bytes: "$body_bytes_sent",
    seconds: "$request_time",
    source: '"$sent_http_x_gomod_source"',
    cache: '"$upstream_cache_status"',
    upstream_seconds: '"$upstream_response_time"',
    agent: '"$http_user_agent"',
    request: '"$request_id"',
  };
  const line = Object.entries(fields).map(([name, value]) => `"${name}":${value}`);
  const journal = `syslog:server=unix:/run/systemd/journal/dev-log,nohostname,tag=${component.replace(/[^A-Za-z0-9]/g, "_").slice(0, 32)}`;
  const condition = log.requests === "notable" ? " if=$gomod_notable" : "";
  return lines(
    `log_format gomod escape=json '{${line.join(",")}}';`,
    log.requests === "notable"
      ? block(
          'map "$sent_http_x_gomod_source:$upstream_cache_status:$status" $gomod_notable',
          "default 1;",
          `${pattern("~^store:[^:]*:[23]")} 0;`,
          `${pattern("~:HIT:[23]")} 0;`,
        )
      : "",
    `access_log ${log.file === undefined ? journal : word`${log.file}`} gomod${condition};`,
  );
}

function upstreams({ tiers, sumdbThrough, resolver }: Front, { socket }: NginxPlace): string {
  const group = (name: string, server: string, keep: number) =>
    block(`upstream ${name}`, `server ${server};`, `keepalive ${keep};`);
  const named =
    resolver.length > 0 ? [] : tiers.map(({ name, host, port }) => group(`tier-${name}`, word`${host}:${port}`, 8));
  const sumdb =
    sumdbThrough === undefined || resolver.length > 0
      ? []
      : [group("gomod-sumdb", word`${sumdbThrough.host}:${sumdbThrough.port}`, 8)];
  const addresses = resolver.map((address) => word`${socketAddress(address, 53)}`);
  return lines(
    group("gomod-athens", word`unix:${socket}`, 64),
    named,
    sumdb,
    addresses.length > 0 ? `resolver ${addresses.join(" ")} valid=30s;` : "",
  );
}

function maps(front: Front, place: NginxPlace): string {
  const { privateModules, access, cacheBytes, cacheKeep } = front;
  return lines(
    // A second part of the key of every cached answer, written by the store's keeper after a repair.
    front.store === undefined
      ? block('map "" $gomod_generation', "default g0;")
      : `include ${word`${place.generation}`};`,
    block("map $request_method $gomod_writes", "default 1;", "GET 0;", "HEAD 0;"),
    privateModules.length > 0
      ? block(
          "map $uri $gomod_private",
          "default 0;",
          privateModules.map((each) => `${pattern(`~*^/(?:sumdb/[^/]+/lookup/)?${privatePathExpression(each)}`)} 1;`),
        )
      : "",
    access?.users && access.clientCa
      ? block("map $ssl_client_verify $gomod_realm", 'default "modules";', "SUCCESS off;")
      : "",
    tierMaps(front),
    `proxy_cache_path ${word`${place.cache}/answers`} levels=1:2 keys_zone=gomod:32m max_size=${cacheBytes} inactive=${cacheKeep}s use_temp_path=off;`,
  );
}

function limits({ limits }: Front): string {
  return lines(
    limits.requests === undefined
      ? ""
      : `limit_req_zone $binary_remote_addr zone=gomod_requests:16m rate=${limits.requests}r/s;`,
    limits.connections === undefined ? "" : "limit_conn_zone $binary_remote_addr zone=gomod_connections:16m;",
  );
}
