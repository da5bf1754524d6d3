import type { Front } from "../../model/mirror/front-resolve";
import { socketAddress } from "../../model/mirror/front-parse";
import { command, quote } from "../../render/shell";
import type { PlanProbe } from "../host-plan";
import type { MirrorPlace } from "./place";
import { probeBeginning, TRIES } from "./probe-script";

/**
 * The front answers over TLS, by the name that clients use, with exactly the certificate and the configuration that it was
 * given: a reload takes effect a moment after it was asked for. A client's
 * certificate is not at hand here, so with `access.clientCa` alone the handshake is all that is asked for.
 */
export function frontProbe(front: Front, place: MirrorPlace): PlanProbe {
  const script = `${probeBeginning(place)}${servesCertificate(front, place)}case $served in
  *'HTTP/1.1 200'* | *'HTTP/1.1 400'*) ;;
  *) fail ${quote(`${connection(front)} does not answer /healthz`)} ;;
esac
`;
  return { name: "front", timeout: 60, script };
}

/**
 * A part of a script, after `probeBeginning`: waits until the front serves its certificate by its configuration, and leaves
 * its answer to /healthz in `served`.
 */
export function servesCertificate(front: Front, place: MirrorPlace): string {
  const { domain, tls } = front;
  const certificate = tls.kind === "files" ? tls.certificateFile : place.front.certificate;
  const connect = connection(front);
  return `wanted=$(openssl x509 -noout -fingerprint -sha256 -in ${quote(certificate)})

tries=0
while :; do
  served=$(printf 'GET /healthz HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' ${quote(domain)} |
    timeout 10 ${command("openssl", "s_client", "-ign_eof", "-connect", connect, "-servername", domain)} 2>/dev/null) || :
  found=$(printf '%s\\n' "$served" | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || found=
  loaded=
  case $served in *"$config"*) loaded=1 ;; esac
  [ "$found" = "$wanted" ] && [ -n "$loaded" ] && break
  tries=$((tries + 1))
  if [ "$tries" -ge ${TRIES} ]; then
    [ "$found" = "$wanted" ] || fail ${quote(`${connect} does not answer with the certificate of ${certificate}`)}
    fail ${quote(`${connect} does not answer by ${place.front.config}, but by a configuration of before`)}
  fi
  sleep 0.5
done
`;
}

function connection({ addresses, port }: Front): string {
  return socketAddress(reachable(addresses), port);
}

/** An address that this host reaches itself by. */
export function reachable(addresses: readonly string[]): string {
  const loopback: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const [first = "127.0.0.1"] = [...addresses].sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
  return loopback[first] ?? first;
}
