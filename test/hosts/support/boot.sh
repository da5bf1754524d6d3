#!/bin/sh
# Becomes one test host's systemd-nspawn. Usage: boot.sh CGROUP BRIDGE ROOT
# Ends with 0 after a power-off and 133 after a reboot (which the caller answers by starting it again).
set -eu

# Own control groups: nspawn would put the systemd of every host of the run into the same one, and kill.sh needs them.
found=
for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
  if [ -e "$hierarchy/cgroup.procs" ]; then
    mkdir -p "$hierarchy/$1"
    echo $$ >"$hierarchy/$1/cgroup.procs"
    found=yes
  fi
done
[ -n "$found" ] || {
  echo "boot.sh: no control groups under /sys/fs/cgroup" >&2
  exit 5
}

exec systemd-nspawn --quiet --boot --console=pipe --register=no --keep-unit --capability=all \
  --resolv-conf=off --timezone=off --link-journal=no \
  --machine="$1" --network-bridge="$2" --directory="$3" </dev/null
