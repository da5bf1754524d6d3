import type { Health } from "../../model/service/health";
import { MARKER } from "../marker";
import { GET, getCommand } from "./probe";

/** Seconds between two looks while the service is not ready yet. */
const LOOK_EVERY = 0.2;

/**
 * Gives systemd the signs of readiness and life of a service that does not speak sd_notify(3): `notify PROGRAM ARG…`
 * becomes the service, so that its process, its signals and its exit status are its own, and leaves a prober beside it
 * that goes when it goes. The prober says only what it saw: a service that does not answer is neither ready nor alive.
 */
export function notifierScript({ readiness, liveness, watchdog }: Health): string {
  if (readiness === undefined) throw new Error("a notifier asks whether the service is ready");
  return `#!/bin/sh
${MARKER}
# notify PROGRAM ARG...: becomes the service, with a prober beside it.
set -u

${GET}

# The service's standard output and error are the journal, where what it is asked in vain is said too.
say() { echo "probe: $*" >&2; }

prober() {
  # Its own commands, whatever PATH the service has; sockets handed over are the service's alone.
  PATH=/usr/bin:/bin
  exec </dev/null 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
  unset LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
  said=
  until ${getCommand(readiness, "/dev/null")}; do
    [ "$answer" = "$said" ] || say "not ready: $answer"
    said=$answer
    sleep ${LOOK_EVERY}
  done
  systemd-notify --ready --status='ready'
${liveness === undefined || watchdog === undefined ? "" : lifeSigns(liveness, watchdog.within)}}

# A child of the shell's child, so that the service gets no child that it did not start.
(prober &)
exec "$@"
`;
}

/** A sign at half of the time at the latest, also after an answer that takes all of its own. */
function lifeSigns(liveness: NonNullable<Health["liveness"]>, within: number): string {
  const pause = Math.round((within / 2 - liveness.timeout) * 1000) / 1000;
  return `  failures=0
  while sleep ${pause}; do
    if ${getCommand(liveness, "/dev/null")}; then
      failures=0
    else
      failures=$((failures + 1))
      say "not alive, $failures in a row: $answer"
    fi
    [ "$failures" -ge ${liveness.failures} ] || systemd-notify WATCHDOG=1
  done
`;
}
