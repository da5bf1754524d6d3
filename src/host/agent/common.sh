#!/bin/sh
# gofleet's agent: puts one component's release on this host. The contract is docs/host-protocol.md.
# The modules are joined in the order of src/host/agent-source.ts; main.sh comes last and runs a verb.
# No `set -e`: every step that may fail says what its failure means.
# SC2015: in `A && B || C` the last one is for a failure of either. SC2016: awk programs and inner scripts.
# shellcheck disable=SC2015,SC2016
set -u
umask 022
LC_ALL=C
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset CDPATH

TAB='	'
NL='
'
MANIFEST_READ=
LOG=
RUN=
ECHO=1
SAID=0

# Reads `key<TAB>value` lines; keys that this verb does not know are ignored.
read_request() {
  COMPONENT='' ROOT='' RELEASE='' TX=none STACK='' URN='' INSTANCE='' EXPECT='' MACHINE=''
  NEWMACHINE=fail ADOPT=refuse REPLACES=- KEEP=3 LOCKWAIT=60 DEADLINE=900 UNSUPPORTED=refuse
  OPERATOR='' COMMIT='' SNAPSHOT='' PROTECTED='' KEEPDATA='' PAUSE='' FROM_LINE=1 FILES='' CONFIRM=0 STAGEONLY='' SKIPCHECKS='' AUDIT='' REASON='' BLAMED=''
  [ -f "$1/request" ] || return 0
  while IFS=$TAB read -r key value; do
    case $key in
      component) COMPONENT=$value ;;
      root) ROOT=$value ;;
      release) RELEASE=$value ;;
      tx) TX=$value ;;
      stack) STACK=$value ;;
      urn) URN=$value ;;
      instance) INSTANCE=$value ;;
      expect) EXPECT=$value ;;
      machine) MACHINE=$value ;;
      newmachine) NEWMACHINE=$value ;;
      adopt) ADOPT=$value ;;
      replaces) REPLACES=$value ;;
      keep) KEEP=$value ;;
      lockwait) LOCKWAIT=$value ;;
      deadline) DEADLINE=$value ;;
      unsupported) UNSUPPORTED=$value ;;
      operator) OPERATOR=$value ;;
      commit) COMMIT=$value ;;
      audit) AUDIT=$value ;;
      reason) REASON=$value ;;
      cause) BLAMED=$value ;;
      snapshot) SNAPSHOT=$value ;;
      protected) PROTECTED=$value ;;
      keepdata) KEEPDATA=$value ;;
      pause) PAUSE=$value ;;
      from) FROM_LINE=$value ;;
      files) FILES=$value ;;
      confirm) CONFIRM=$value ;;
      stageonly) STAGEONLY=$value ;;
      skipchecks) SKIPCHECKS=$value ;;
    esac
  done <"$1/request"
}

# Refuses a request whose names could leave their directory or whose numbers are none.
check_request() {
  case $VERB:$COMPONENT in facts: | room:) return 0 ;; esac
  case $COMPONENT in '' | -* | .* | *[!A-Za-z0-9._-]*) fail 11 "request: component '$COMPONENT' is not a name" ;; esac
  case $TX in -* | .* | *[!A-Za-z0-9._-]*) fail 11 "request: tx '$TX' is not a name" ;; esac
  case $RELEASE in *[!0-9a-f]*) fail 11 "request: release '$RELEASE' is not an id" ;; esac
  case $PROTECTED in *[!0-9a-f,]*) fail 11 "request: protected '$PROTECTED' is not a list of ids" ;; esac
  for _number in "$KEEP" "$LOCKWAIT" "$DEADLINE" "$FROM_LINE" "$CONFIRM"; do
    case $_number in '' | *[!0-9]*) fail 11 "request: '$_number' is not a number" ;; esac
  done
}

# Sets every path the agent uses. ROOT is empty for a real host.
set_paths() {
  case $ROOT in
    '' | /) ROOT='' ;;
    *)
      mkdir -p -- "$ROOT" || fail 12 "root '$ROOT' cannot be made"
      ROOT=$(cd -- "$ROOT" && pwd -P) || fail 12 "root cannot be entered"
      [ "$ROOT" != / ] || ROOT=''
      ;;
  esac
  HOST_ETC=$ROOT/etc/gofleet
  HOST_VAR=$ROOT/var/lib/gofleet
  HOST_LIB=$ROOT/usr/local/lib/gofleet
  HOST_RUN=$ROOT/run/gofleet
  FACT_MACHINE=
  [ ! -r /etc/machine-id ] || read -r FACT_MACHINE </etc/machine-id
  SYSTEMD=
  [ -n "$ROOT" ] || [ ! -d /run/systemd/system ] || SYSTEMD=1
}

# Sets the paths of one component.
set_component() {
  COMPONENT=$1
  ETC=$HOST_ETC/$COMPONENT
  VAR=$HOST_VAR/$COMPONENT
  LIB=$HOST_LIB/$COMPONENT
  STAMPS=$HOST_RUN/$COMPONENT.running
  OWN_ETC=/etc/gofleet/$COMPONENT
  read_owner
  read_txn
  current_release
}

# The release `current` points at, or nothing.
current_release() {
  CURRENT=
  [ ! -L "$ETC/current" ] || CURRENT=$(readlink "$ETC/current")
  CURRENT=${CURRENT##*/}
}

# Sets OWNER_STACK, OWNER_URN and OWNER_INSTANCE from a component's owner file (default: our own).
read_owner() {
  OWNER_STACK='' OWNER_URN='' OWNER_INSTANCE=''
  [ -f "${1:-$ETC}/owner" ] || return 0
  while read -r key value; do
    case $key in
      stack) OWNER_STACK=$value ;;
      urn) OWNER_URN=$value ;;
      instance) OWNER_INSTANCE=$value ;;
    esac
  done <"${1:-$ETC}/owner"
}

# Sets TXN_TX, TXN_FROM, TXN_TO, TXN_PHASE and, where the host goes back by itself, TXN_CAUSE; TXN_PHASE is empty when
# the component is settled.
read_txn() {
  TXN_TX='' TXN_FROM='' TXN_TO='' TXN_PHASE='' TXN_CAUSE=''
  [ -f "$ETC/txn" ] || return 0
  while read -r key value; do
    case $key in
      tx) TXN_TX=$value ;;
      from) TXN_FROM=$value ;;
      to) TXN_TO=$value ;;
      phase) TXN_PHASE=$value ;;
      cause) TXN_CAUSE=$value ;;
    esac
  done <"$ETC/txn"
}

# Where a verb keeps its notes, and what it found for people.
set_work() {
  WORK=$1/work
  EVIDENCE=$1/evidence
  mkdir -p -- "$WORK" "$EVIDENCE" || fail 12 "$1 cannot be written: no space or read-only"
}

# Replaces a small file so that a crash leaves the old text or the new one. Text on stdin.
write_file() {
  cat >"$1.new" && sync "$1.new" 2>/dev/null && mv -fT -- "$1.new" "$1"
}

# write_text FILE TEXT: the same for a few lines. `sync`: also on the disk before it counts.
write_text() {
  printf '%s\n' "$2" >"$1.new" && { [ "${3:-}" != sync ] || sync "$1.new" 2>/dev/null; } && mv -fT -- "$1.new" "$1"
}

# Seconds since boot: a clock that nobody sets.
uptime_seconds() {
  read -r UPTIME _ </proc/uptime
  UPTIME=${UPTIME%.*}
}

# Is the process of a run still there? Its command line names the transaction, so a reused pid is not taken for it.
run_alive() {
  [ -f "$1/pid" ] && read -r _pid <"$1/pid" && kill -0 "$_pid" 2>/dev/null &&
    grep -aqF -- "${1##*/}" "/proc/$_pid/environ" "/proc/$_pid/cmdline" 2>/dev/null
}

# Stops at a step that the request names under `pause`, until the file it names under `go` appears, for a minute at most.
pause_at() {
  case ,$PAUSE, in *,"$BACKWARDS$1",*) ;; *) return 0 ;; esac
  _go=${RUN:-$UPLOAD}/go
  emit paused at "$BACKWARDS$1" go "$_go"
  uptime_seconds
  _until=$((UPTIME + 60))
  while [ ! -e "$_go" ] && [ "$UPTIME" -lt "$_until" ]; do
    sleep 0.05
    uptime_seconds
  done
  rm -f -- "$_go"
}
