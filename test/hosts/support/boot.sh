#!/bin/sh
# Becomes one test host's systemd-nspawn. Usage: boot.sh CGROUP BRIDGE ROOT [OPTION…]
# Ends with 0 after a power-off and 133 after a reboot (which the caller answers by starting it again).
set -eu

# Own control groups: nspawn would put the systemd of every host of the run into the same one.
group=$1 bridge=$2 root=$3
shift 3
exec sh "$(dirname "$0")/in-group.sh" "$group" systemd-nspawn --quiet --boot --console=pipe --register=no --keep-unit \
  --capability=all --resolv-conf=off --timezone=off --link-journal=no \
  --machine="$group" --network-bridge="$bridge" --directory="$root" "$@" </dev/null
