# The decision over an unconfirmed release: by a new connection, by the operator, or by the timer.

# arm SECONDS: after that the host goes back by itself.
arm() {
  if [ -n "$SYSTEMD" ]; then
    quiet systemd-run --quiet --collect --unit="gofleet-revert-$COMPONENT" --on-active="${1}s" \
      --timer-property=AccuracySec=100ms /bin/sh "$RUN/agent" revert "$RUN"
  else
    setsid sh -c 'sleep "$1"; exec sh "$2/agent" revert "$2"' timer "$1" "$RUN" </dev/null >/dev/null 2>&1 9>&- &
    printf '%s\n' "$!" >"$VAR/timer"
  fi
}

disarm() {
  if [ -n "$SYSTEMD" ]; then
    systemctl stop "gofleet-revert-$COMPONENT.timer" >/dev/null 2>&1
  elif [ -f "$VAR/timer" ]; then
    read -r _timer <"$VAR/timer"
    ! grep -aqs -- revert "/proc/$_timer/cmdline" || kill "$_timer" 2>/dev/null
    rm -f -- "$VAR/timer"
  fi
}

open_decision() {
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  [ -d "$VAR" ] || finish 66 failed "no component $COMPONENT on this host"
  take_lock "$LOCKWAIT"
  set_component "$COMPONENT"
  FROM=$TXN_FROM TO=$TXN_TO
  [ -d "$VAR/runs/$TX" ] || finish 66 failed "no transaction $TX of $COMPONENT on this host"
  set_work "$VAR/runs/$TX"
}

verb_confirm() {
  open_decision
  # The same confirmation again, for its answer was lost.
  if settled; then
    FROM=$DECISION_FROM TO=$DECISION_TO
    begin_watch
    finish 0 ok "release $TO was confirmed already"
  fi
  if [ "$TXN_TX" != "$TX" ] || [ "$TXN_PHASE" != unconfirmed ]; then
    finish 65 failed "transaction $TX is not pending; current is ${CURRENT:-nothing}"
  fi
  read_request "$VAR/runs/$TX"
  set_paths
  settle || fail 12 "the transaction could not be settled: no space or read-only"
  disarm
  pause_at settled
  arm_watch
  collect_garbage
  finish 0 ok "release $CURRENT is confirmed"
}

# By the timer (the directory is the run's, output goes nowhere) or by the operator.
verb_revert() {
  CAUSE=${BLAMED:-asked to by the operator}
  if detached; then
    CAUSE='not confirmed in time'
    ECHO=
    LOCKWAIT=600
  fi
  open_decision
  if [ "$TXN_TX" != "$TX" ]; then
    finish 65 failed "transaction $TX is not pending; current is ${CURRENT:-nothing}"
  fi
  [ "$TXN_PHASE" != committed ] || finish 65 failed "release $TXN_TO is declared irreversible; it stays"
  RUN=$VAR/runs/$TX
  LOG=$RUN/log
  if ! detached; then
    # Who it was, and who is told of it, are the run's.
    _pause=$PAUSE
    read_request "$RUN"
    set_paths
    PAUSE=$_pause
  fi
  emit reverting msg "$CAUSE"
  # The timer must not be stopped by what it started.
  detached || disarm
  [ "$CURRENT" != "$TXN_TO" ] || evidence_given "$TXN_TO" "$CAUSE" "$TXN_FROM"
  if revert_switch "$TXN_TO" "$TXN_FROM"; then
    finish 20 reverted "$CAUSE"
  fi
  finish 22 failed "$CAUSE; and going back failed: $WHY"
}
