import type { Front } from "../../model/mirror/front-resolve";
import { ACME_SECONDS } from "../../render/mirror/acme-units";
import { command } from "../../render/shell";
import type { PlanProbe } from "../host-plan";
import type { AcmePaths } from "./acme-paths";
import { servesCertificate } from "./front-probe";
import type { MirrorPlace } from "./place";
import { probeBeginning } from "./probe-script";

/**
 * Gets the certificate, if one is due, and sees it served. An ACME server that says no fails the release, with what it
 * said, only where there is no valid certificate from before: its troubles must not keep a mirror from changing or from
 * going back. Probes run by name: this one is the last.
 */
export function acmeProbe(front: Front, place: MirrorPlace, { script, service }: AcmePaths): PlanProbe {
  const text = `${probeBeginning(place)}
if ! ${command("systemctl", "start", service)} 2>/dev/null; then
  journalctl --sync 2>/dev/null || :
  run=$(${command("systemctl", "show", "--property=InvocationID", "--value", service)})
  said=$(journalctl --no-pager --output=cat _SYSTEMD_INVOCATION_ID="$run" |
    grep -v -e '^$' -e '^Saving debug log' -e '^Ask for help' -e '^Hint: ' | tail -n 20)
  ${command("systemctl", "reset-failed", service)}
  if why=$(${command("sh", script, "served")} 2>&1); then
    printf 'not renewed, but valid: %s\\n' "$said"
  else
    fail "$why: $said"
  fi
fi
${servesCertificate(front, place)}`;
  return { name: "tls", timeout: ACME_SECONDS + 60, script: text };
}
