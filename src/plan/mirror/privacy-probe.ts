import { escapeModulePath } from "../../model/mirror/private-modules";
import { socketAddress } from "../../model/mirror/front-parse";
import type { Front } from "../../model/mirror/front-resolve";
import { command, quote } from "../../render/shell";
import type { PlanProbe } from "../host-plan";
import { reachable } from "./front-probe";
import type { MirrorPlace } from "./place";
import { probeBeginning, TRIES } from "./probe-script";

/** Stands where a pattern has a wildcard: no such module exists, and whoever reads it in a log knows what asked. */
const CANARY = "gofleet-probe";

/**
 * Asks the front to look private names up in each checksum database, in both spellings of upper case: refused at once,
 * the name has not left the host. 401 is a refusal as well: who has no password gets nothing out either; so is 400, which
 * a client without the certificate gets where one is asked for.
 */
export function privacyProbe(front: Front, place: MirrorPlace): PlanProbe | undefined {
  const { privateModules } = front;
  if (privateModules.length === 0 || front.databases.length === 0) return undefined;
  const connect = socketAddress(reachable(front.addresses), front.port);
  const names = privateModules.map((pattern) => pattern.replaceAll("*", CANARY));
  const spelled = [...new Set(names.flatMap((name) => [name, escapeModulePath(name)]))].sort();
  const paths = front.databases.flatMap((database) =>
    spelled.map((name) => `/sumdb/${database}/lookup/${name}@v0.0.0-gofleet`),
  );
  // Whoever has no certificate gets nothing at all.
  const noCertificate = front.access?.clientCa ? `case $answers in 'HTTP/1.1 400'*) exit 0 ;; esac\n` : "";
  const request = (path: string, ...headers: readonly string[]) =>
    `HEAD ${path} HTTP/1.1\\r\\nHost: %s\\r\\n${headers.map((each) => `${each}\\r\\n`).join("")}\\r\\n`;
  const script = `${probeBeginning(place)}
# On one connection, which one worker answers by one configuration: the first answer says by which.
ask() {
  {
    printf '${request("/healthz")}' ${quote(front.domain)}
    for path in "$@"; do printf '${request("%s")}' "$path" ${quote(front.domain)}; done
    printf '${request("/healthz", "Connection: close")}' ${quote(front.domain)}
  } | timeout 20 ${command("openssl", "s_client", "-quiet", "-ign_eof", "-connect", connect, "-servername", front.domain)} 2>/dev/null
}
set -- \\
${paths.map((path) => `  ${quote(path)}`).join(" \\\n")}

tries=0
while :; do
  answers=$(ask "$@") || :
  case $answers in *"$config"*) break ;; esac
  tries=$((tries + 1))
  [ "$tries" -lt ${TRIES} ] || fail ${quote(`${connect} does not answer by ${place.front.config}, but by a configuration of before`)}
  sleep 0.5
done
statuses=$(printf '%s\\n' "$answers" | sed -n 's|^HTTP/[0-9.]* \\([0-9]*\\).*|\\1|p' | sed 1d)
${noCertificate}for path in "$@"; do
  status=\${statuses%%[!0-9]*}
  case $status in
    401 | 403) ;;
    *) fail "a private name gets out: $path was not refused, but answered \${status:-not at all}" ;;
  esac
  statuses=\${statuses#"$status"}
  statuses=\${statuses#?}
done
`;
  return { name: "privacy", timeout: 60, script };
}
