import { CHALLENGE_PORT } from "../../model/mirror/front-acme";
import { socketAddress } from "../../model/mirror/front-parse";
import type { Front } from "../../model/mirror/front-resolve";
import { NO_SNIFFING } from "./nginx-headers";
import { block, word } from "./nginx-text";

/**
 * Answers ACME's challenges over plain HTTP, as RFC 8555 has it, and nothing else: no redirect either, for a client that
 * asks here has said a module's name in clear already, and must be told.
 */
export function challengeServer(front: Front, challenges: string): string {
  return block(
    "server",
    front.addresses.map((address) => {
      const only = address.includes(":") ? " ipv6only=on" : "";
      return `listen ${socketAddress(address, CHALLENGE_PORT)}${only};`;
    }),
    `server_name ${word`${front.domain}`};`,
    "default_type text/plain;",
    NO_SNIFFING,
    block("if ($gomod_writes)", "return 405;"),
    block("location ^~ /.well-known/acme-challenge/", `root ${word`${challenges}`};`, "open_file_cache off;"),
    block("location /", 'return 404 "modules come over https only\\n";'),
  );
}
