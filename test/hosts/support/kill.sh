#!/bin/sh
# Takes the power from a test host: every process in it ends at once, none is told. Usage: kill.sh CGROUP
set -eu

unified=/sys/fs/cgroup/unified
[ -d "$unified" ] || unified=/sys/fs/cgroup
[ -d "$unified/$1" ] || exit 0

echo 1 >"$unified/$1/cgroup.kill"
tries=0
while grep -q 'populated 1' "$unified/$1/cgroup.events"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ]; then
    echo "kill.sh: processes of $1 are still there after 10 s" >&2
    exit 1
  fi
  sleep 0.1
done
for group in "$unified/$1" "/sys/fs/cgroup/systemd/$1"; do
  [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
done
