import type { Probe } from "../../model/service/health";
import { WATCH_SIGNALS, type ExitVerdict, type Watch, type WatchSignal } from "../../model/service/watch";
import { MARKER } from "../marker";
import { quote } from "../shell";
import { GET, getCommand } from "./probe";

/** What {@link watchScript} looks at. */
export interface WatchedService {
  /** The service's unit. */
  readonly unit: string;
  /** Its journal's namespace, where it has one of its own. */
  readonly namespace?: string;
  readonly readiness?: Probe;
  readonly watch: Watch;
}

/** Weights are fractions; sh counts in whole numbers. */
const SCALE = 1000;

/**
 * One look at a service, for {@link PlanWatch}: facts first, then the rules. How processes ended is read from systemd's own
 * messages, for a unit that was started again no longer knows how it ended before.
 */
export function watchScript({ unit, namespace, readiness, watch }: WatchedService): string {
  return `#!/bin/sh
${MARKER}
# What is quoted stays as it is.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
unit=${quote(unit)}
memory=$GOFLEET_WATCH
present=
facts=
notes=
# found SIGNAL SENTENCE
found() { present="$present $1"; facts="$facts$2
"; }
note() { notes="$notes$1
"; }
has() { case "$present " in *" $1 "*) return 0 ;; esac; return 1; }
# Of this boot: before it, a clock that was set since may show any time.
journal() { journalctl --quiet --no-pager --boot "$@" 2>/dev/null; }
# since NAME NUMBER: how much more than when the release was switched on, where the unit was not started then.
since() {
  first=0
  case " $GOFLEET_STARTED " in *" $unit "*) ;; *) [ -f "$memory/$1" ] || printf '%s\\n' "$2" >"$memory/$1"; read -r first <"$memory/$1" ;; esac
  # Started anew by hand, it counts from none again.
  [ "$2" -ge "$first" ] || first=0
  printf %s "$(($2 - first))"
}

show=$(systemctl show --property=ActiveState,Result,NRestarts,ControlGroup -- "$unit")
value() { printf '%s\\n' "$show" | sed -n "s/^$1=//p"; }
# Of a stop that was asked for nothing is kept: what ends between "Stopping" and the next "Starting".
ends=$(journal --since="@$GOFLEET_SINCE" _PID=1 UNIT="$unit" --output=export \\
  --output-fields=MESSAGE_ID,EXIT_CODE,EXIT_STATUS,UNIT_RESULT | awk '
  function flush() {
    if (id == "${MESSAGES.stopping}") stopping = 1
    else if (id == "${MESSAGES.starting}") stopping = 0
    else if (!stopping && id == "${MESSAGES.exited}" && code != "") print "code", code == "exited" ? status : 128 + status
    else if (!stopping && id == "${MESSAGES.failed}" && result != "") print "result", result
    id = code = status = result = ""
  }
  /^$/ { flush(); next }
  { value = substr($0, index($0, "=") + 1) }
  /^MESSAGE_ID=/ { id = value }
  /^EXIT_CODE=/ { code = value }
  /^EXIT_STATUS=/ { status = value }
  /^UNIT_RESULT=/ { result = value }
  END { flush() }')
ended() { printf '%s\\n' "$ends" | grep -qx "$1" || [ "result $(value Result)" = "$1" ]; }

# The kernel's own counter: any SIGKILL ends a process with 137, and not every one is for memory.
kills=$(sed -n 's/^oom_kill //p' "\${GOFLEET_CGROUPS:-/sys/fs/cgroup}$(value ControlGroup)/memory.events" 2>/dev/null)
if ended 'result oom-kill' || [ "$(since kills "\${kills:-0}")" -gt 0 ]; then
  found oom "out of memory: the kernel killed a process of $unit"
fi
if ended 'result watchdog'; then found watchdog "hang: the watchdog ended $unit"; fi
${exits(watch.exitCodes)}
if [ "$(value ActiveState)" = failed ]; then found failed "systemd gave $unit up: $(value Result)"; fi
restarts=$(value NRestarts)
restarts=$(since restarts "\${restarts:-0}")
if [ "$restarts" -gt ${watch.restarts} ]; then found restarts "$unit was restarted $restarts times, at most ${watch.restarts} would do"; fi
${readiness === undefined ? "" : ready(readiness, watch.readinessFailures)}${watch.logs.map((log) => logged(log, namespace)).join("")}
trips=
${rules(watch)}
printf %s "$facts$notes"
[ -z "$trips" ] || exit 1
exit 0
`;
}

/** Of systemd's catalog (sd-messages.h). */
const MESSAGES = {
  starting: "7d4958e842da4a758f6c1cdc7b36dcc5",
  stopping: "de5b426a63be47a7b6ac3eaac82e2f6f",
  exited: "98e322203f7a4ed290d09fe03c09fe15",
  failed: "d9b373ed55a64feb8242e02dbe79a49c",
} as const;

function exits(codes: Readonly<Record<string, ExitVerdict>>): string {
  const named = Object.entries(codes)
    .filter(([code]) => code !== "other")
    .sort(([a], [b]) => Number(a) - Number(b));
  const branch = (pattern: string, verdict: ExitVerdict): string => `    ${pattern}) ${VERDICTS[verdict]} ;;\n`;
  return `for code in $(printf '%s\\n' "$ends" | sed -n 's/^code //p' | sort -nu); do
  # What the kernel or the watchdog ended has been told already.
  case $code in 0) continue ;; 137) ! has oom || continue ;; 134) ! has watchdog || continue ;; esac
  case $code in
${named.map(([code, verdict]) => branch(code, verdict)).join("")}${branch("*", codes["other"] ?? "note")}  esac
done`;
}

const VERDICTS: Readonly<Record<ExitVerdict, string>> = {
  revert: 'found exit "$unit ended with exit code $code"',
  note: 'note "$unit ended with exit code $code"',
  ignore: ":",
};

function ready(readiness: Probe, failures: number): string {
  return `
${GET}
failures=0
[ ! -f "$memory/failures" ] || read -r failures <"$memory/failures"
: >"$memory/body"
if ${getCommand(readiness, '"$memory/body"')}; then failures=0; else failures=$((failures + 1)); fi
printf '%s\\n' "$failures" >"$memory/failures"
if [ "$failures" -ge ${failures} ]; then
  found readiness "$unit was not ready at ${failures} looks in a row: $answer $(head -c 4000 -- "$memory/body" | tr -d '\\000' | tr '\\n' ' ')"
fi
`;
}

function logged({ pattern, count, within }: Watch["logs"][number], namespace?: string): string {
  const where = namespace === undefined ? "" : ` --namespace=${quote(namespace)}`;
  const sentence = `its log: ${JSON.stringify(pattern)} in at least ${count} lines within ${within} s`;
  return `
from=$(($(date +%s) - ${within}))
[ "$from" -gt "\${GOFLEET_SINCE%.*}" ] || from=$GOFLEET_SINCE
if [ "$(journal --since="@$from" _SYSTEMD_UNIT="$unit"${where} --output=cat | grep -aciE -- ${quote(pattern)})" -ge ${count} ]; then
  found log ${quote(sentence)}
fi
`;
}

function rules({ any, all, score }: Watch): string {
  const group = (signals: readonly WatchSignal[]): string =>
    `if ${signals.map((each) => `has ${each}`).join(" && ")}; then trips=1; fi`;
  const lines = [...sorted(any).map((signal) => group([signal])), ...all.map((signals) => group(sorted(signals)))];
  if (score === undefined) return lines.join("\n");
  const weights = WATCH_SIGNALS.flatMap((signal) => {
    const weight = score.weights[signal];
    return weight === undefined ? [] : [`if has ${signal}; then score=$((score + ${Math.round(weight * SCALE)})); fi`];
  });
  const least = Math.round(score.threshold * SCALE);
  return [...lines, "score=0", ...weights, `if [ "$score" -ge ${least} ]; then trips=1; fi`].join("\n");
}

/** In the order in which they are looked for, so that one set of signals is one script. */
function sorted(signals: readonly WatchSignal[]): WatchSignal[] {
  return WATCH_SIGNALS.filter((signal) => signals.includes(signal));
}
