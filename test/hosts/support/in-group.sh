#!/bin/sh
# Becomes a command in control groups of its own, which kill.sh needs. Usage: in-group.sh CGROUP COMMAND…
set -eu

group=$1
shift
found=
for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
  if [ -e "$hierarchy/cgroup.procs" ]; then
    mkdir -p "$hierarchy/$group"
    echo $$ >"$hierarchy/$group/cgroup.procs"
    found=yes
  fi
done
[ -n "$found" ] || {
  echo "in-group.sh: no control groups under /sys/fs/cgroup" >&2
  exit 5
}
exec "$@"
