#!/bin/sh
# The floor: the same work as one step on a host by the plainest means, one ssh, nothing checked, nothing to go back to.
# Usage: raw.sh TREE PROBE "UNIT …" SSH-ARGUMENT …
set -eu

tree=$1 probe=$2 units=$3
shift 3

# shellcheck disable=SC2029 # units and probe are meant to be filled in on this side
tar -C "$tree" --owner=0 --group=0 -czf - etc |
  ssh "$@" "# shellcheck disable=SC2029 # units and probe are meant to be filled in on this side
tar -C / --no-overwrite-dir -xzf - && systemd-sysusers /etc/sysusers.d/benchd.conf &&
    systemctl daemon-reload && systemctl restart $units && $probe"
