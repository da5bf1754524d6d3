#!/bin/sh
set -eu
held() {
  [ "$1" = "$2 (enforce)" ] || {
    echo "$3 is under $(printf '%s' "$1" | tr -d '\n'), not under $2 (enforce): systemctl status "gofleet-ci-apparmor.service >&2
    exit 1
  }
}
slot() {
  grep -qxF "$1 (enforce)" /sys/kernel/security/apparmor/profiles || {
    echo "profile $1 is not loaded in enforce mode: systemctl status "gofleet-ci-apparmor.service >&2
    exit 1
  }
  held "$(systemd-run --quiet --pipe --wait --collect -p AppArmorProfile="$1" -p User="$2" -p Group=gofleet-ci \
    cat /proc/self/attr/current)" "$1" "a process of $2"
  pid=$(systemctl show --property=MainPID --value "$3")
  [ "$pid" != 0 ] || return 0
  # Its process is systemd's own for a moment.
  sleep 1
  now=$(cat "/proc/$pid/attr/current" 2>/dev/null) || return 0
  held "$now" "$1" "$3"
}
slot gofleet-ci-1 gofleet-ci-1 gofleet-ci@1.service
slot gofleet-ci-2 gofleet-ci-2 gofleet-ci@2.service
