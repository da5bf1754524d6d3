import type { UnitName } from "../../model/names";
import { command, quote } from "../../render/shell";
import { exposureProbe } from "../exposure-probe";
import type { PlanCheck, PlanProbe } from "../host-plan";
import type { SandboxParts } from "./parts";
import type { SandboxPlace } from "./place";

/** Seconds in which a slot must have come to its agent. */
const STARTS_WITHIN = 30;

/** Longest that the canary build may take, the search for a directive to blame included; seconds. */
const CANARY_WITHIN = 600;

/**
 * A small build under the directives of the staged template and a profile as the slots will have, before anything is
 * switched. Where it fails it names the directive to blame.
 */
export function canaryCheck({ place, program, sandbox }: SandboxParts): PlanCheck {
  const script = `#!/bin/sh
set -eu
${sandbox.confinement === "off" ? "" : withCanaryProfile(place)}${command(program, "canary", "-limit", `${CANARY_WITHIN - 30}s`)} \\
  -config "$GOFLEET_STAGED"${quote(place.config)} -unit "$GOFLEET_STAGED"${quote(`/etc/systemd/system/${place.template}`)}
`;
  return { name: "canary", timeout: CANARY_WITHIN, script };
}

/** Loads the canary's profile, until the script that begins with this has ended. */
function withCanaryProfile({ apparmor }: SandboxPlace): string {
  return `apparmor=$GOFLEET_STAGED${quote(apparmor.script)}
trap 'exit 143' HUP INT TERM
trap 'sh "$apparmor" unload-canary' EXIT
sh "$apparmor" load-canary "$GOFLEET_STAGED"
`;
}

/** What must be true of a sandbox after a switch: slots that run, caches that their users can write, and how it scores. */
export function sandboxProbes(parts: SandboxParts): PlanProbe[] {
  return [slotsProbe(parts), cachesProbe(parts), exposureProbe(firstSlot(parts))];
}

/**
 * Every slot has its agent, or is between two jobs. While no job may begin the slots wait, and that is no fault of the
 * release: it may be what makes room.
 */
function slotsProbe({ place, slots }: SandboxParts): PlanProbe {
  const script = `#!/bin/sh
set -eu
state() { systemctl show --value --property="$2" -- "$1"; }
slot() {
  waited=0
  while [ "$waited" -lt ${STARTS_WITHIN} ]; do
    case $(state "$1" ActiveState),$(state "$1" SubState),$(state "$1" Result) in
      active,running,* | activating,auto-restart,success) return 0 ;;
    esac
    if [ -e ${quote(place.pauseMark)} ]; then
      echo "$1 waits: no new job may begin: $(head -c 500 ${quote(place.pauseMark)})"
      return 0
    fi
    sleep 1
    waited=$((waited + 1))
  done
  echo "$1 does not run its agent: $(state "$1" ActiveState), $(state "$1" Result), exit status $(state "$1" ExecMainStatus); see journalctl -u $1" >&2
  exit 1
}
${slots.map(({ unit }) => command("slot", unit)).join("\n")}
`;
  return { name: "slots", timeout: STARTS_WITHIN * slots.length + 30, script };
}

/** Each slot's user can write the build cache that it has, and the module user the shared module cache. */
function cachesProbe({ place, slots, buildCaches, sandbox }: SandboxParts): PlanProbe {
  const mounted = sandbox.cache.kind === "tmpfs" ? buildCaches.map(({ path }) => command("mounted", path)) : [];
  const script = `#!/bin/sh
set -eu
mounted() {
  [ "$(findmnt --noheadings --output FSTYPE --mountpoint "$1" | head -n 1)" = tmpfs ] || { echo "$1 is no tmpfs" >&2; exit 1; }
}
as() { user=$1; shift; runuser -u "$user" -- "$@"; }
writable() { as "$1" test -w "$2" || { echo "$2 cannot be written by $1" >&2; exit 1; }; }
${[...mounted, ...slots.map(({ user, buildCache }) => command("writable", user, buildCache)), command("writable", place.moduleUser, place.modules)].join("\n")}
`;
  return { name: "caches", timeout: 60, script };
}

function firstSlot({ slots }: SandboxParts): UnitName {
  const [first] = slots;
  if (first === undefined) throw new Error("a sandbox has at least one slot");
  return first.unit;
}
