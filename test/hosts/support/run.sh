#!/bin/sh
# The network of one run of test hosts. Usage: run.sh claim PID SCRATCH | run.sh release N
#
# 192.0.2.0/24 (TEST-NET-1, RFC 5737) is cut into /27 networks. Run N owns bridge gofleetN at 192.0.2.(32N+1) until its
# process ends, so that several runs share a machine. `claim` prints N, after sweeping what killed runs left behind.
set -eu

here=$(dirname "$0")
state=/run/gofleet-hosts
mkdir -p "$state"

# A process id alone may have been given to another process since; with its start time it is unique.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

alive() {
  read -r pid since 2>/dev/null <"$state/$1/owner" || return 1
  [ "$(born "$pid")" = "$since" ]
}

# True if the machine's own addresses or gateways lie in network N: those stay reachable.
taken() {
  {
    ip -o -4 address show | awk '{ print $4 }'
    ip -4 route show | awk '{ for (i = 1; i < NF; i++) if ($i == "via") print $(i + 1) }'
  } | awk -F '[./]' -v n="$1" '$1 "." $2 "." $3 == "192.0.2" && int($4 / 32) == n { found = 1 } END { exit !found }'
}

sweep() {
  for group in /sys/fs/cgroup/gofleet-"$1"-* /sys/fs/cgroup/unified/gofleet-"$1"-*; do
    [ ! -d "$group" ] || sh "$here/kill.sh" "${group##*/}"
  done
  ip link delete "gofleet$1" 2>/dev/null || true
  if read -r scratch 2>/dev/null <"$state/$1/scratch" && [ -d "$scratch" ]; then
    for tree in "$scratch"/*/; do
      [ ! -d "$tree/root" ] || sh "$here/tree.sh" remove "${tree%/}"
    done
    rm -rf --one-file-system "$scratch"
  fi
  rm -rf --one-file-system "/run/systemd/nspawn/propagate/gofleet-$1-"* "${state:?}/$1"
}

claim() {
  for n in 1 2 3 4 5 6 7; do
    if [ -d "$state/$n" ]; then
      if alive "$n"; then continue; fi
      sweep "$n"
    fi
    if [ -n "${claimed:-}" ] || taken "$n"; then continue; fi
    mkdir "$state/$n"
    echo "$2" >"$state/$n/scratch"
    echo "$1 $(born "$1")" >"$state/$n/owner"
    ip link add "gofleet$n" type bridge
    ip address add "192.0.2.$((32 * n + 1))/27" dev "gofleet$n"
    ip link set "gofleet$n" up
    claimed=$n
  done
  if [ -z "${claimed:-}" ]; then
    echo "run.sh: every /27 of 192.0.2.0/24 is in use on this machine; stop another run of test hosts" >&2
    exit 4
  fi
  echo "$claimed"
}

exec 9>"$state/lock"
flock 9
case $1 in
claim) claim "$2" "$3" ;;
release) sweep "$2" ;;
*)
  echo "run.sh: unknown verb '$1'; use claim PID SCRATCH, or release N" >&2
  exit 2
  ;;
esac
