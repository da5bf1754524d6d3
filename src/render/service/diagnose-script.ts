import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";
import { command, quote } from "../shell";

/** Longest time for which a service is diagnosed, in seconds. */
const LONGEST = 3600;

/**
 * Gives a service other variables for a time, such as `GODEBUG=schedtrace=1000` or the address of a profile that it
 * serves: what they cost and what they open ends by itself, also when nobody is logged in any more, and with a reboot.
 *
 * All of it is in /run: a drop-in of the unit, and a timer of systemd that takes it away. The timer does not need this
 * script, which another release may not have, but a file beside the drop-in: systemd 252 garbles a transient unit's
 * command that holds a semicolon, when it is reloaded.
 */
export function diagnoseScript(unit: string, component: string): string {
  const folder: AbsolutePath = `/run/systemd/system/${unit}.d`;
  const dropIn = `${folder}/90-gofleet-diagnose.conf`;
  const variables = `${folder}/90-gofleet-diagnose.env`;
  const ending = `${folder}/90-gofleet-diagnose.end`;
  const systemctl = (...words: readonly string[]) => command("systemctl", ...words, "--", unit);
  return `#!/bin/sh
${MARKER}
# diagnose 5min NAME=VALUE...: starts the service anew with these variables, and after five minutes without them.
# diagnose off: at once without them.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
unit=${quote(unit)}
timer=${quote(`gofleet-${component}-diagnose`)}
folder=${quote(folder)}
dropin=${quote(dropIn)}
variables=${quote(variables)}
change=${quote(`/etc/gofleet/${component}/txn`)}
ending=${quote(ending)}

fail() {
  echo "diagnose: $*" >&2
  exit 1
}

usage() { fail "$1; wanted: diagnose 5min GODEBUG=schedtrace=1000, or: diagnose off"; }

seconds() {
  case $1 in *[0-9]min) number=\${1%min} factor=60 ;; *[0-9]s) number=\${1%s} factor=1 ;; *) return 1 ;; esac
  case $number in *[!0-9]* | 0* | ?????*) return 1 ;; esac
  [ $((number * factor)) -le ${LONGEST} ] && echo $((number * factor))
}

# Profiles show memory, arguments and code: their address is this host's alone.
private() {
  case $2 in
    127.*:* | '[::1]:'* | localhost:* | /*) return 0 ;;
    *[:]6060) return 1 ;;
    *:[0-9]*) ;;
    *) return 0 ;;
  esac
  case $1 in *[Pp][Pp][Rr][Oo][Ff]* | *[Pp][Rr][Oo][Ff][Ii][Ll]* | *[Dd][Ee][Bb][Uu][Gg]*) return 1 ;; esac
}

assignment() {
  name=\${1%%=*} value=\${1#*=}
  case $1 in *=*) ;; *) usage "$1 is no NAME=VALUE" ;; esac
  case $name in '' | [0-9]* | *[!A-Za-z0-9_]*) usage "$name is no variable" ;; esac
  case $value in *[!][A-Za-z0-9_.,:/=@+%-]*) fail "$name: only letters, digits and ][_.,:/=@+%- may be in its value" ;; esac
  private "$name" "$value" || fail "$name: $value is open to everybody; wanted 127.0.0.1:PORT or a unix socket"
}

write() {
  mkdir -p -- "$folder" || return 1
  for each; do
    name=\${each%%=*} value=\${each#*=}
    # Of two settings of one name in GODEBUG the later counts.
    [ "$name" != GODEBUG ] || value=\${godebug:+$godebug,}$value
    printf '%s="%s"\\n' "$name" "$value"
  done >"$variables" && cat >"$ending" <<'END' && printf '[Service]\\nEnvironmentFile=%s\\n' "$variables" >"$dropin"
${command("rm", "-f", "--", dropIn, variables, ending)}
systemctl daemon-reload
# Given up with these variables, it is started; stopped by somebody, it is left alone. What a person starts is nothing
# that the breaker should count.
if ${systemctl("--quiet", "is-failed")}; then
  ${systemctl("reset-failed")}
  ${systemctl("start")}
else
  ${systemctl("reset-failed")}
  ${systemctl("try-restart")}
fi
END
}

root() { [ "$(id -u)" = 0 ] || fail "only root may do this"; }

# The timer goes last: it is there for what becomes of this script.
finish() {
  sh -- "$ending"
  ended=$?
  systemctl stop -- "$timer.timer"
  return "$ended"
}

case \${1-} in
  off)
    root
    [ -e "$dropin" ] || fail "$unit is not being diagnosed"
    finish
    exit
    ;;
  '') usage "nothing is said" ;;
esac
time=$(seconds "$1") || usage "$1 is no time from 1s to ${LONGEST / 60}min"
shift
[ "$#" -gt 0 ] || usage "no variable"
for each; do assignment "$each"; done

root
[ ! -e "$dropin" ] || fail "$unit is being diagnosed already; diagnose off ends that"
[ ! -e "$change" ] || fail "a change of $unit is under way; wait for its end"
process=$(systemctl show --property=MainPID --value -- "$unit")
[ "$process" != 0 ] || fail "$unit does not run"
godebug=$(tr '\\000' '\\n' <"/proc/$process/environ" | sed -n 's/^GODEBUG=//p')
# What ends it comes first: whatever happens to this script, the service does not stay as it is then.
if ! { write "$@" && systemd-run --quiet --collect --unit="$timer" --on-active="\${time}s" \\
  --timer-property=AccuracySec=1s sh -- "$ending"; }; then
  rm -f -- "$dropin" "$variables" "$ending"
  exit 1
fi
if ! { systemctl daemon-reload && systemctl reset-failed -- "$unit" && systemctl restart -- "$unit"; }; then
  finish || fail "$unit starts neither with these variables nor without them; see: systemctl status $unit"
  fail "$unit does not start with these variables; it runs without them again"
fi
echo "$unit runs with these variables for $time s; diagnose off ends it"
`;
}
