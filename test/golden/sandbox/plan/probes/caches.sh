#!/bin/sh
set -eu
mounted() {
  [ "$(findmnt --noheadings --output FSTYPE --mountpoint "$1" | head -n 1)" = tmpfs ] || { echo "$1 is no tmpfs" >&2; exit 1; }
}
as() { user=$1; shift; runuser -u "$user" -- "$@"; }
writable() { as "$1" test -w "$2" || { echo "$2 cannot be written by $1" >&2; exit 1; }; }
mounted /var/cache/gofleet-ci/slots/1/build
mounted /var/cache/gofleet-ci/slots/2/build
writable gofleet-ci-1 /var/cache/gofleet-ci/slots/1/build
writable gofleet-ci-2 /var/cache/gofleet-ci/slots/2/build
writable gofleet-ci-mod /var/cache/gofleet-ci/modules
