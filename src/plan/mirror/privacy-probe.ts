import { escapeModulePath, type PrivateModules } from "../../model/mirror/private-modules";
import { socketAddress } from "../../model/mirror/front-parse";
import type { Front } from "../../model/mirror/front-resolve";
import { command, quote } from "../../render/shell";
import type { PlanProbe } from "../host-plan";
import { reachable } from "./front-probe";

/** Stands where a pattern has a wildcard: no such module exists, and whoever reads it in a log knows what asked. */
const CANARY = "gofleet-probe";

/**
 * Asks the front to look private names up in each checksum database, in both spellings of upper case: refused at once,
 * the name has not left the host. 401 is a refusal as well: who has no password gets nothing out either; so is 400, which
 * a client without the certificate gets where one is asked for.
 */
export function privacyProbe(front: Front, privateModules: PrivateModules): PlanProbe | undefined {
  if (privateModules.length === 0 || front.databases.length === 0) return undefined;
  const connect = socketAddress(reachable(front.addresses), front.port);
  const names = privateModules.map((pattern) => pattern.replaceAll("*", CANARY));
  const spelled = [...new Set(names.flatMap((name) => [name, escapeModulePath(name)]))].sort();
  const paths = front.databases.flatMap((database) =>
    spelled.map((name) => `/sumdb/${database}/lookup/${name}@v0.0.0-gofleet`),
  );
  const refusals = ["401", "403", ...(front.access?.clientCa ? ["400"] : [])].join(" | ");
  const script = `#!/bin/sh
set -eu
# After a reload the workers of before go on answering for a moment, by the rules of before.
sleep 2
ask() {
  printf 'GET %s HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' "$1" ${quote(front.domain)} |
    timeout 10 ${command("openssl", "s_client", "-quiet", "-ign_eof", "-connect", connect, "-servername", front.domain)} 2>/dev/null |
    sed -n '1s|^HTTP/[0-9.]* \\([0-9]*\\).*|\\1|p'
}
${paths
  .map(
    (path) => `case $(ask ${quote(path)}) in
  ${refusals}) ;;
  *) echo ${quote(`a private name gets out: ${path} was not refused`)} >&2; exit 1 ;;
esac
`,
  )
  .join("")}`;
  return { name: "privacy", timeout: 60, script };
}
