import type { Front } from "../../model/mirror/front-resolve";
import { socketAddress } from "../../model/mirror/front-parse";
import { privatePathExpression } from "../../model/mirror/private-modules";
import { MARKER } from "../marker";
import { mutableLocations, sumdbLocations } from "./nginx-changing";
import { tierLocations, tierMaps } from "./nginx-tiers";
import type { NginxPlace } from "./nginx-place";
import { statusServer } from "./nginx-status";
import { block, lines, pattern, word } from "./nginx-text";
import { versionLocations } from "./nginx-versions";

/**
 * The whole nginx.conf of a mirror's front, an instance of its own: complete versions straight from the store,
 * everything else through Athens, other mirrors while Athens cannot answer.
 * See https://go.dev/ref/mod#goproxy-protocol and https://nginx.org/en/docs/dirindex.html.
 */
export function nginxConfig(front: Front, place: NginxPlace): string {
  const main = lines(
    `user ${word`${place.frontUser}`};`,
    `worker_processes ${front.workers};`,
    // Two descriptors for each connection that goes on, one for a file, and room for the cache of open files.
    `worker_rlimit_nofile ${front.connections * 3 + OPEN_FILES};`,
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
    server(front, place),
    "",
    statusServer(place),
  );
  return `${MARKER}\n\n${main}\n\n${http}\n`;
}

/** Files that nginx keeps open, and their limit in each worker. */
const OPEN_FILES = 20_000;

/** What TLS 1.2 clients are offered: forward secrecy and authenticated encryption only. TLS 1.3 has no other. */
const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

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
    "client_header_timeout 15s;",
    "keepalive_timeout 75s;",
    "keepalive_requests 10000;",
    "send_timeout 300s;",
    "reset_timedout_connection on;",
    `open_file_cache max=${OPEN_FILES} inactive=10m;`,
    "open_file_cache_valid 60s;",
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

function server(front: Front, place: NginxPlace): string {
  const { limits, addresses, port, http2Directive } = front;
  const closed = ["/catalog", "/index", "/metrics", "/readyz", "/version"];
  return block(
    "server",
    addresses.map((address) => {
      const only = address.includes(":") ? " ipv6only=on" : "";
      return `listen ${socketAddress(address, port)} ssl${http2Directive ? "" : " http2"}${only} backlog=4096;`;
    }),
    http2Directive ? "http2 on;" : "",
    `server_name ${word`${front.domain}`};`,
    tls(front, place),
    limits.requests === undefined ? "" : `limit_req zone=gomod_requests burst=${limits.burst} nodelay;`,
    limits.connections === undefined ? "" : `limit_conn gomod_connections ${limits.connections};`,
    "limit_req_status 429;",
    "limit_conn_status 429;",
    access(front, place),
    proxying(front),
    // Nothing is ever written through this server; a rule of each location could be forgotten in one.
    block("if ($gomod_writes)", "return 405;"),
    "",
    block("location = /healthz", "access_log off;", "default_type text/plain;", 'return 200 "ok\\n";'),
    closed.map((path) => block(`location = ${path}`, "return 403;")),
    "",
    versionLocations(front, place),
    mutableLocations(front),
    sumdbLocations(front),
    tierLocations(front),
    block("location /", "default_type text/plain;", 'return 404 "not a path of the module proxy protocol\\n";'),
  );
}

function tls({ tls, access }: Front, place: NginxPlace): string {
  const [certificate, key] =
    tls.kind === "secret" ? [place.certificate, place.key] : [tls.certificateFile, tls.keyFile];
  return lines(
    `ssl_certificate ${word`${certificate}`};`,
    `ssl_certificate_key ${word`${key}`};`,
    "ssl_protocols TLSv1.2 TLSv1.3;",
    `ssl_ciphers ${CIPHERS.join(":")};`,
    "ssl_prefer_server_ciphers on;",
    "ssl_ecdh_curve X25519:prime256v1:secp384r1;",
    "ssl_session_cache shared:gomod_tls:10m;",
    "ssl_session_timeout 1d;",
    "ssl_session_tickets off;",
    access?.clientCa
      ? [
          `ssl_client_certificate ${word`${place.clientCa}`};`,
          `ssl_verify_client ${access.users ? "optional" : "on"};`,
          "ssl_verify_depth 4;",
        ]
      : [],
  );
}

function access({ access }: Front, { passwords }: NginxPlace): string {
  if (!access?.users) return "";
  return lines(
    `auth_basic ${access.clientCa ? "$gomod_realm" : '"modules"'};`,
    `auth_basic_user_file ${word`${passwords}`};`,
  );
}

/** Settings of every request that goes on; locations add the rest. */
function proxying({ caFile, wait }: Front): string {
  return lines(
    "proxy_http_version 1.1;",
    // A connection that Athens closed while it was idle is not an error of the client's; there is no second server.
    "proxy_next_upstream error;",
    "proxy_connect_timeout 5s;",
    "proxy_send_timeout 30s;",
    `proxy_read_timeout ${wait.fetch}s;`,
    "proxy_intercept_errors on;",
    "proxy_force_ranges on;",
    "proxy_max_temp_file_size 4096m;",
    "proxy_cache gomod;",
    'proxy_cache_key "$gomod_generation$uri";',
    // Athens forbids to cache its lists; what may be kept, and for how long, is said here.
    "proxy_ignore_headers Cache-Control Expires Vary Set-Cookie X-Accel-Expires X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;",
    "proxy_hide_header Set-Cookie;",
    "proxy_cache_lock on;",
    `proxy_cache_lock_timeout ${wait.fetch}s;`,
    `proxy_cache_lock_age ${wait.fetch}s;`,
    "proxy_ssl_server_name on;",
    "proxy_ssl_verify on;",
    "proxy_ssl_verify_depth 4;",
    "proxy_ssl_protocols TLSv1.2 TLSv1.3;",
    `proxy_ssl_trusted_certificate ${word`${caFile}`};`,
  );
}
