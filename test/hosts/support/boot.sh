#!/bin/sh
# Becomes one test host's systemd-nspawn. Usage: boot.sh CGROUP BRIDGE ROOT
# Ends with 0 after a power-off and 133 after a reboot (which the caller answers by starting it again).
set -eu

# Own control groups: nspawn would put the systemd of every host of the run into the same one.
exec sh "$(dirname "$0")/in-group.sh" "$1" systemd-nspawn --quiet --boot --console=pipe --register=no --keep-unit \
  --capability=all --resolv-conf=off --timezone=off --link-journal=no \
  --machine="$1" --network-bridge="$2" --directory="$3" </dev/null
