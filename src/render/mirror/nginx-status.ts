import type { Front } from "../../model/mirror/front-resolve";
import { onward } from "./nginx-headers";
import type { NginxPlace } from "./nginx-place";
import { block, word } from "./nginx-text";

/** Metrics and readiness, on loopback only: for the host's own monitoring, not for clients. */
export function statusServer({ statusPort }: Front, { metrics, readOnlyFlag }: NginxPlace): string {
  return block(
    "server",
    `listen 127.0.0.1:${statusPort};`,
    "access_log off;",
    "open_file_cache off;",
    onward("localhost"),
    "proxy_http_version 1.1;",
    "proxy_connect_timeout 5s;",
    "proxy_read_timeout 30s;",
    block("location = /metrics/athens", "proxy_pass http://gomod-athens/metrics;"),
    block(
      "location = /metrics/store",
      // Prometheus takes the version of its text format from here.
      'types { } default_type "text/plain; version=0.0.4; charset=utf-8";',
      `alias ${word`${metrics}`};`,
    ),
    block("location = /status", "stub_status;"),
    block(
      "location = /readyz",
      "default_type text/plain;",
      block(`if (-f ${word`${readOnlyFlag}`})`, 'return 503 "the store is read-only\\n";'),
      "proxy_pass http://gomod-athens/readyz;",
    ),
    block("location /", "return 404;"),
  );
}
