#!/bin/sh
set -eu
exec sh "$GOFLEET_STAGED"/etc/gofleet/ci/apparmor check "$GOFLEET_STAGED"
