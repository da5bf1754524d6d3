import { lines, word } from "./nginx-text";

/** For browsers; a location with headers of its own must repeat it. */
export const NO_SNIFFING = "add_header X-Content-Type-Options nosniff always;";

/** Where an answer came from, as the client and the log see it: a name, or a variable that holds one. */
export function source(name: string): string {
  return lines(
    `add_header X-Gomod-Source ${name.startsWith("$") ? name : word`${name}`} always;`,
    "add_header X-Gomod-Cache $upstream_cache_status always;",
    NO_SNIFFING,
  );
}

/**
 * Headers of a request that goes on: none of the client's, so no credentials, no region and no conditions of its own.
 *
 * @param host value of `Host`, in quotes where it is not a variable
 */
export function onward(host: string): string {
  return lines(
    "proxy_pass_request_headers off;",
    "proxy_pass_request_body off;",
    `proxy_set_header Host ${host};`,
    'proxy_set_header Connection "";',
    "proxy_set_header User-Agent $http_user_agent;",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header X-Forwarded-Proto https;",
    "proxy_set_header X-Request-Id $request_id;",
  );
}
