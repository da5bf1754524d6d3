#!/bin/sh
set -eu
state() { systemctl show --value --property="$2" -- "$1"; }
slot() {
  waited=0
  while [ "$waited" -lt 30 ]; do
    case $(state "$1" ActiveState),$(state "$1" SubState),$(state "$1" Result) in
      active,running,* | activating,auto-restart,success) return 0 ;;
    esac
    if [ -e /run/gofleet-ci/paused ]; then
      echo "$1 waits: no new job may begin: $(head -c 500 /run/gofleet-ci/paused)"
      return 0
    fi
    sleep 1
    waited=$((waited + 1))
  done
  echo "$1 does not run its agent: $(state "$1" ActiveState), $(state "$1" Result), exit status $(state "$1" ExecMainStatus); see journalctl -u $1" >&2
  exit 1
}
slot gofleet-ci@1.service
slot gofleet-ci@2.service
