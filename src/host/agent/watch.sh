# The host's own look at a release that has settled, by a timer, when no operator is connected. What it must remember
# lies in VAR/watching: the operator's `request`, `state`, and `memory/`, which is the script's.

# Before anything is probed: when the units were started, and which. The watch counts from here.
note_start() {
  has "$ETC/releases/$RELEASE/.gofleet/manifest" watch || return 0
  write_text "$RUN/started" "$(date +%s.%N)$UNITS_STARTED"
}

# Sets WATCH_* from a component's state; WATCH_TX is empty where nothing is watched.
read_watch() {
  WATCH_TX='' WATCH_RELEASE='' WATCH_FROM='' WATCH_SINCE='' WATCH_STARTED='' WATCH_LEFT=0 WATCH_LOOKED=0 WATCH_BOOT='' WATCH_SERIAL=0
  WATCH_EVERY='' WATCH_MODE='' WATCH_TOGETHER=''
  [ -f "$VAR/watching/state" ] || return 0
  while read -r key value; do
    case $key in
      tx) WATCH_TX=$value ;;
      release) WATCH_RELEASE=$value ;;
      from) WATCH_FROM=$value ;;
      since) WATCH_SINCE=$value ;;
      started) WATCH_STARTED=$value ;;
      left) WATCH_LEFT=$value ;;
      looked) WATCH_LOOKED=$value ;;
      boot) WATCH_BOOT=$value ;;
      serial) WATCH_SERIAL=$value ;;
    esac
  done <"$VAR/watching/state"
  [ -f "$ETC/releases/$WATCH_RELEASE/.gofleet/manifest" ] || return 0
  IFS=$TAB read -r _kind _seconds WATCH_EVERY WATCH_MODE WATCH_TOGETHER _sum <<EOT
$(grep "^watch$TAB" "$ETC/releases/$WATCH_RELEASE/.gofleet/manifest")
EOT
}

# The window is counted in seconds since boot, and what was left at the last look outlives a reboot.
write_watch() {
  uptime_seconds
  read -r _boot </proc/sys/kernel/random/boot_id
  if [ "$WATCH_BOOT" = "$_boot" ]; then WATCH_LEFT=$((WATCH_LEFT - (UPTIME - WATCH_LOOKED))); fi
  WATCH_LOOKED=$UPTIME WATCH_BOOT=$_boot
  write_text "$VAR/watching/state" "tx $WATCH_TX${NL}release $WATCH_RELEASE${NL}from $WATCH_FROM
since $WATCH_SINCE${NL}started $WATCH_STARTED${NL}left $WATCH_LEFT${NL}looked $WATCH_LOOKED${NL}boot $WATCH_BOOT${NL}serial $WATCH_SERIAL"
}

# Before the transaction is over: which release is to be looked after from then on. The note stays until that has begun, so
# that an agent that is ended in between, or a power cut, leaves no release without its watch.
owe_watch() {
  # Put on again over itself it is no other release: a window that is open goes on, and what is owed stays so.
  [ "$TXN_FROM" != "$CURRENT" ] || return 0
  # On the way back nobody chose this release for itself.
  if [ -n "$SYSTEMD" ] && has "$ETC/releases/$CURRENT/.gofleet/manifest" watch &&
    [ -f "$VAR/runs/$TX/started" ] && [ ! -f "$VAR/runs/$TX/back" ]; then
    write_text "$VAR/owed" "tx $TX${NL}release $CURRENT${NL}from $TXN_FROM" sync
  else
    rm -f -- "$VAR/owed"
  fi
}

# After a release has settled: it is looked after from now on, and nothing else is.
arm_watch() {
  if [ -f "$VAR/owed" ]; then
    begin_watch
  elif [ "$TXN_FROM" != "$CURRENT" ]; then
    disarm_watch
  fi
}

# The watch that is owed to the current release, if any; run again after a kill, it begins all the same.
begin_watch() {
  [ -f "$VAR/owed" ] || return 0
  OUTPUT=
  if record_watch && start_watch; then
    emit watching :seconds "$WATCH_LEFT" :interval "$WATCH_EVERY"
  else
    disarm_watch
    emit unchecked msg "the release is on, but its watch could not be armed${OUTPUT:+: $OUTPUT}"
  fi
  pause_at watching
  rm -f -- "$VAR/owed"
}

# The state of the window that is owed.
record_watch() {
  disarm_watch
  WATCH_TX='' WATCH_RELEASE='' WATCH_FROM='' WATCH_BOOT='' WATCH_LOOKED=0
  while read -r key value; do
    case $key in
      tx) WATCH_TX=$value ;;
      release) WATCH_RELEASE=$value ;;
      from) WATCH_FROM=$value ;;
    esac
  done <"$VAR/owed"
  [ "$WATCH_RELEASE" = "$CURRENT" ] && [ -f "$VAR/runs/$WATCH_TX/started" ] || return 1
  read -r WATCH_SINCE WATCH_STARTED <"$VAR/runs/$WATCH_TX/started"
  WATCH_LEFT=$(awk -F '\t' '$1 == "watch" { print $2 }' "$ETC/releases/$CURRENT/.gofleet/manifest")
  WATCH_SERIAL=$(last_serial)
  WATCH_SERIAL=$((WATCH_SERIAL + 1))
  mkdir -p -- "$VAR/watching/memory" && cp -- "$VAR/runs/$WATCH_TX/request" "$VAR/watching/request" && write_watch &&
    read_watch
}

# The highest number of a switch among the components that are watched: it tells in which order they were switched.
last_serial() {
  awk 'BEGIN { most = 0 } $1 == "serial" && $2 + 0 > most { most = $2 + 0 } END { print most }' \
    /dev/null "$HOST_VAR"/*/watching/state 2>/dev/null
}

# A boot must not wait for it for long.
start_watch() {
  # shellcheck disable=SC2086 # empty, or one option
  OUTPUT=$(timeout 10 systemd-run --quiet --collect $NO_BLOCK --unit="gofleet-watch-$COMPONENT" \
    --description="gofleet: looks after $COMPONENT" --on-active="${WATCH_EVERY}s" --on-unit-inactive="${WATCH_EVERY}s" \
    --timer-property=AccuracySec=100ms --property=LogLevelMax=notice \
    /bin/sh "$HOST_LIB/agent" look "$VAR/watching" 2>&1 </dev/null 9>&-)
}

disarm_watch() {
  [ -d "$VAR/watching" ] || return 0
  _look=
  # A look that is under way would keep the name from the next timer.
  [ "$VERB" = look ] || _look=gofleet-watch-$COMPONENT.service
  # shellcheck disable=SC2086 # each empty, or one word
  [ -z "$SYSTEMD" ] || timeout 10 systemctl $NO_BLOCK stop $_look "gofleet-watch-$COMPONENT.timer" >/dev/null 2>&1
  rm -rf -- "$VAR/watching"
}

# After a reboot: the rest of the window. What ended with the shutdown is not held against the release.
resume_watch() {
  if [ -f "$VAR/owed" ]; then record_watch && rm -f -- "$VAR/owed"; fi
  read_watch
  [ -n "$WATCH_TX" ] || return 0
  if [ "$CURRENT" != "$WATCH_RELEASE" ] || [ "$WATCH_LEFT" -le 0 ]; then
    disarm_watch
    return 0
  fi
  WATCH_SINCE=$(date +%s.%N) WATCH_STARTED=$(unit_names "$ETC/releases/$CURRENT/.gofleet/manifest" | tr '\n' ' ')
  rm -rf -- "$VAR/watching/memory"
  mkdir -p -- "$VAR/watching/memory" && write_watch && start_watch
}

# `look`: one look, started by the timer.
verb_look() {
  ECHO=
  PAUSE=
  set_paths
  set_component "$COMPONENT"
  read_watch
  # A switch is under way: whether this watch goes on is known when it has settled.
  [ -z "$TXN_PHASE" ] || exit 0
  # Nobody else looks at this release, so that a full disk must not end the watch.
  [ "$CURRENT" != "$WATCH_RELEASE" ] || write_watch
  if [ "$CURRENT" != "$WATCH_RELEASE" ] || [ "$WATCH_LEFT" -le 0 ]; then
    disarm_watch
    exit 0
  fi
  # As long as a look is late at most: a script that hangs must not stop the watch.
  OUTPUT=$(GOFLEET_SINCE=$WATCH_SINCE GOFLEET_STARTED=$WATCH_STARTED GOFLEET_WATCH=$VAR/watching/memory \
    timeout -k 2 30 sh "$ETC/releases/$CURRENT/.gofleet/watch" 2>"$VAR/watching/errors" </dev/null)
  _code=$?
  # What was seen of a switch says nothing of the release.
  read_txn
  [ -z "$TXN_PHASE" ] || exit 0
  OUTPUT=$(printf '%s' "$OUTPUT" | mask_secrets "$CURRENT" | cut -b -500 | head -c 2000)
  case $_code in
    0) note_findings finding "$OUTPUT" ;;
    1) trip "$(printf '%s' "$OUTPUT" | tr '\n\t' '; ' | tr -d '\000-\037')" ;;
    124 | 137) note_findings finding "the watch itself took longer than 30 s" ;;
    *) note_findings finding "the watch itself failed: exit code $_code:$(mask_secrets "$CURRENT" <"$VAR/watching/errors" | tail -c 300 | sed 's/^/ /' | tr -d '\n')" ;;
  esac
  exit 0
}

# trip REASON: the release must go, where there is one to go back to and the release may.
trip() {
  if run_alive "$VAR/runs/$WATCH_TX-watch"; then return 0; fi
  _stays=
  if [ "$WATCH_MODE" = report ]; then
    _stays='it is not taken back, as its watch says'
  elif [ -z "$WATCH_FROM" ]; then
    _stays='there is no release before it to go back to'
  elif [ ! -f "$ETC/releases/$WATCH_FROM/.gofleet/manifest" ]; then
    _stays="release $WATCH_FROM is no longer on this host"
  elif grep -qsxF -- "$WATCH_FROM" "$VAR/tripped"; then
    _stays="release $WATCH_FROM before it was taken back by its own watch"
  fi
  if [ -z "$_stays" ]; then
    TX=$WATCH_TX-watch RELEASE=$WATCH_RELEASE
    launch_back "$1"
    return 0
  fi
  # Once: the next look finds the same.
  ! grep -qs -- "$TAB$CURRENT${TAB}trip$TAB" "$VAR/findings" || return 0
  note_findings trip "$1; $_stays"
  audit watch noted "$CURRENT" "$CURRENT" "$1; $_stays"
}

# note_findings KIND LINES: each line once for a release; the last hundred are kept.
note_findings() {
  [ -n "$2" ] || return 0
  _now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  printf '%s\n' "$2" | tr '\t' ' ' | while IFS= read -r _line; do
    ! cut -f 2- -- "$VAR/findings" 2>/dev/null | grep -qxF -- "$CURRENT$TAB$1$TAB$_line" || continue
    printf '%s\t%s\t%s\t%s\n' "$_now" "$CURRENT" "$1" "$_line" >>"$VAR/findings"
  done
  [ "$(wc -l <"$VAR/findings")" -le 100 ] || { tail -n 100 "$VAR/findings" | write_file "$VAR/findings"; }
}

# For `read`: what is watched now, and what was found of the release that is current.
read_findings() {
  read_watch
  if [ -n "$WATCH_TX" ] && [ "$WATCH_RELEASE" = "$CURRENT" ]; then
    emit watching :seconds "$WATCH_LEFT" :interval "${WATCH_EVERY:-0}"
  fi
  [ -f "$VAR/findings" ] || return 0
  while IFS=$TAB read -r _time _id _kind _line; do
    [ "$_id" != "$CURRENT" ] || emit finding time "$_time" kind "$_kind" msg "$_line"
  done <"$VAR/findings"
}
