import { MARKER } from "../../render/marker";
import { GET, getCommand } from "../../render/service/probe";
import { quote } from "../../render/shell";
import type { HostPlan, PlanProbe } from "../host-plan";
import { exposureProbe } from "../exposure-probe";
import type { ServiceParts } from "./parts";

/** Seconds in which a service that nothing is asked of must not have ended once. */
const SETTLES = 3;

/** What must be true of a service after a switch. */
export function healthPlan(parts: ServiceParts): Partial<HostPlan> {
  const { service, place } = parts;
  const { readiness } = service.health;
  return {
    probes: [
      readiness === undefined ? runningProbe(parts) : readinessProbe(parts, readiness),
      exposureProbe(place.unit),
    ],
    packages: readiness === undefined ? [] : ["curl"],
  };
}

/** What systemd says of the unit; `broken` is true once it was given up, or ended too often to be started again. */
function beginning(unit: string): string {
  return `#!/bin/sh
${MARKER}
set -u
unit=${quote(unit)}
show() { systemctl show --property="$1" --value -- "$unit"; }
broken() { case $(show ActiveState) in failed | inactive) return 0 ;; *) return 1 ;; esac; }
fail() {
  printf '%s: %s, %s, %s; exit status %s, started again %s times\\n' "$1" "$(show ActiveState)" "$(show SubState)" \\
    "$(show Result)" "$(show ExecMainStatus)" "$(show NRestarts)" >&2
  exit 1
}
uptime_seconds() { cut -d . -f 1 /proc/uptime; }
`;
}

/** The service answers that it is ready, within its time. A unit that was given up is not waited for. */
function readinessProbe({ place, service }: ServiceParts, readiness: NonNullable<Ready>): PlanProbe {
  const { within, timeout } = readiness;
  const script = `${beginning(place.unit)}${GET}

body=$(mktemp) || exit 1
trap 'rm -f -- "$body"' EXIT
until=$(($(uptime_seconds) + ${Math.ceil(within)}))
while ! ${getCommand(readiness, '"$body"')}; do
  if broken || [ "$(uptime_seconds)" -ge "$until" ]; then
    fail "${service.journal.identifier} is not ready: $answer $(head -c 500 -- "$body" | tr -d '\\000')"
  fi
  sleep 0.2
done
`;
  return { name: "readiness", timeout: Math.ceil(within + timeout) + 10, script };
}

type Ready = ServiceParts["service"]["health"]["readiness"];

/** Where nothing can be asked: it runs, and still does a little later. */
function runningProbe({ place, service }: ServiceParts): PlanProbe {
  const script = `${beginning(place.unit)}
process=$(show MainPID)
sleep ${SETTLES}
if broken || [ "$(show MainPID)" != "$process" ] || [ "$process" = 0 ]; then
  fail ${quote(`${service.journal.identifier} does not stay up`)}
fi
`;
  return { name: "running", timeout: SETTLES + 30, script };
}
