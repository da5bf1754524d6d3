import { socketAddress } from "../../model/mirror/front-parse";
import type { Front } from "../../model/mirror/front-resolve";
import { mutableLocations, sumdbLocations } from "./nginx-changing";
import { NO_SNIFFING, onward } from "./nginx-headers";
import type { NginxPlace } from "./nginx-place";
import { block, lines, word } from "./nginx-text";
import { tierLocations } from "./nginx-tiers";
import { versionLocations } from "./nginx-versions";

/** What TLS 1.2 clients are offered: forward secrecy and authenticated encryption only. TLS 1.3 has no other. */
const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/**
 * Answers of the server itself, `/healthz` and refused handshakes, name the configuration that they are by: a worker of
 * before a reload still says the one of before.
 */
export const CONFIG_HEADER = "X-Gomod-Config";

/**
 * The server that clients see: its TLS, who gets in, and what goes on to where.
 *
 * @param digest of the whole configuration
 */
export function clientServer(front: Front, place: NginxPlace, digest: string): string {
  const { limits, addresses, port, http2Directive } = front;
  const closed = ["/catalog", "/index", "/metrics", "/readyz", "/version"];
  return block(
    "server",
    // Without reuseport: all workers share one queue, and who waits in it is taken by those of after a reload.
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
    privateRefused(front),
    NO_SNIFFING,
    `add_header ${CONFIG_HEADER} ${word`${digest}`} always;`,
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

/** Where clients have their own credentials, nothing is given out by the mirror's, not even what the store has. */
function privateRefused({ privateModules, servesPrivate }: Front): string {
  if (servesPrivate || privateModules.length === 0) return "";
  return lines(
    block("if ($gomod_private)", "return 534;"),
    "error_page 534 = @private;",
    block("location @private", "default_type text/plain;", `return 403 ${word`${FROM_REPOSITORY}`};`),
  );
}

const FROM_REPOSITORY = "private modules come from their repositories, not from this mirror: see GONOPROXY";

function tls({ access }: Front, place: NginxPlace): string {
  return lines(
    `ssl_certificate ${word`${place.certificate}`};`,
    `ssl_certificate_key ${word`${place.key}`};`,
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

/** Settings of every request that goes on, to Athens if nothing else is said; locations add the rest. */
function proxying({ caFile, wait }: Front): string {
  return lines(
    onward("localhost"),
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
