#!/bin/sh
set -eu
apparmor=$GOFLEET_STAGED/etc/gofleet/ci/apparmor
trap 'exit 143' HUP INT TERM
trap 'sh "$apparmor" unload-canary' EXIT
sh "$apparmor" load-canary "$GOFLEET_STAGED"
/usr/local/lib/gofleet/ci/sandbox-7c9bbe5ec9b3-fda6f905/bin/gofleet-sandbox canary -limit 570s \
  -config "$GOFLEET_STAGED"/etc/gofleet/ci/sandbox.json -unit "$GOFLEET_STAGED"/etc/systemd/system/gofleet-ci@.service
