#!/bin/sh
# Written by gofleet; change the program that declares it, not this file.
set -u
unit=gofleet-cache.service
show() { systemctl show --property="$1" --value -- "$unit"; }
broken() { case $(show ActiveState) in failed | inactive) return 0 ;; *) return 1 ;; esac; }
fail() {
  printf '%s: %s, %s, %s; exit status %s, started again %s times\n' "$1" "$(show ActiveState)" "$(show SubState)" \
    "$(show Result)" "$(show ExecMainStatus)" "$(show NRestarts)" >&2
  exit 1
}
uptime_seconds() { cut -d . -f 1 /proc/uptime; }

process=$(show MainPID)
sleep 3
if broken || [ "$(show MainPID)" != "$process" ] || [ "$process" = 0 ]; then
  fail 'buildcached does not stay up'
fi
