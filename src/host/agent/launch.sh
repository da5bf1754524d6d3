# Detaching from the connection, and following what was detached.

# The run's directory, with everything `apply` needs. A transaction that is running already is followed instead.
open_run() {
  RUN_DIR=$VAR/runs/$TX
  if run_alive "$RUN_DIR"; then
    RUN=$RUN_DIR
    follow_run 1
  fi
  [ ! -e "$RUN_DIR" ] || rm -rf -- "$RUN_DIR"
  { mkdir -p -- "$RUN_DIR" && printf '%s\n' "$$" >"$RUN_DIR/pid" &&
    cp -- "$UPLOAD/agent" "$UPLOAD/request" "$LOG" "$RUN_DIR/"; } || {
    rm -rf -- "$RUN_DIR"
    fail 12 "$RUN_DIR cannot be written: no space or read-only"
  }
  RUN=$RUN_DIR
  LOG=$RUN/log
}

# launch VERB: `apply` or `back` in a process of its own, and what looks after it (`exited`).
launch() {
  if [ -n "$SYSTEMD" ]; then
    install_boot || fail 12 "the boot service could not be installed"
    OUTPUT=$(systemd-run --quiet --collect --unit="gofleet-$COMPONENT-$TX" --description="gofleet: $COMPONENT" \
      --property="ExecStopPost=/bin/sh $RUN/agent exited $RUN" --property="StandardOutput=append:$RUN/stdout" \
      --property="StandardError=append:$RUN/stdout" /bin/sh "$RUN/agent" "$1" "$RUN" 2>&1 </dev/null) ||
      fail 12 "systemd-run: $OUTPUT"
  else
    setsid sh -c 'sh "$1/agent" "$2" "$1"; sh "$1/agent" exited "$1"' gofleet "$RUN" "$1" </dev/null >>"$RUN/stdout" 2>&1 &
  fi
}

# follow_run LINE: prints the log from that line on, until there is a result; 75 if the agent died without one.
follow_run() {
  _skip=$(($1 - 1))
  _partial=
  _quiet=0
  while :; do
    _ended=
    [ ! -e "$RUN/exit" ] || _ended=1
    while IFS= read -r _line <&3 || { _partial=$_partial$_line; false; }; do
      if [ "$_skip" -gt 0 ]; then _skip=$((_skip - 1)); else printf '%s\n' "$_partial$_line"; fi
      _partial=
      _quiet=0
    done
    [ -z "$_ended" ] || break
    _quiet=$((_quiet + 1))
    if [ $((_quiet % 25)) = 0 ] && ! run_alive "$RUN" && [ ! -e "$RUN/exit" ]; then
      sleep 0.5
      run_alive "$RUN" || [ -e "$RUN/exit" ] || died "no process and no result"
    fi
    # Most runs are over within a second; a long one is not worth a hundred looks at it in each.
    if [ "$_quiet" -lt 50 ]; then sleep 0.01; else sleep 0.05; fi
  done 3<"$RUN/log"
  read -r _code <"$RUN/exit"
  case $_code in
    '' | *[!0-9]*) died "$_code" ;;
  esac
  exit "$_code"
}

# The agent died: whatever it left, the next apply takes it up.
died() {
  _said=$(tail -c 500 "$RUN/stdout" 2>/dev/null)
  LOG='' RUN='' TO=$RELEASE
  current_release
  finish 75 failed "the agent died ($1${_said:+: $_said}); run it again"
}

verb_follow() {
  set_component "$COMPONENT"
  RUN=$VAR/runs/$TX
  if [ ! -f "$RUN/log" ]; then
    RUN=
    finish 66 failed "no transaction $TX of $COMPONENT on this host"
  fi
  follow_run "$FROM_LINE"
}

# After `apply` ended, by itself or not: if it could not finish what it had begun, the host goes back now; what had settled
# stays, and is looked after.
verb_exited() {
  [ ! -e "$UPLOAD/exit" ] || exit 0
  ECHO=
  RUN=$UPLOAD
  LOG=$RUN/log
  PAUSE=
  printf '%s\n' "$$" >"$RUN/pid"
  set_paths
  # The host is going down: no unit can be started any more, and the boot service will settle this.
  [ -z "$SYSTEMD" ] || [ "$(systemctl is-system-running 2>/dev/null)" != stopping ] || exit 0
  set_component "$COMPONENT"
  set_work "$RUN"
  take_lock 600
  set_component "$COMPONENT"
  [ ! -s "$RUN/group" ] || back_together
  _ended="${SERVICE_RESULT:-ended} ${EXIT_CODE:-early} ${EXIT_STATUS:-}"
  if [ "$TXN_TX" = "$TX" ] && [ "$TXN_PHASE" != unconfirmed ]; then
    FROM=$TXN_FROM
    RELEASE=$TXN_TO
    TO=$TXN_TO
    [ "$TXN_PHASE" != committed ] || finish_committed
    go_back "the agent was ended in phase $TXN_PHASE (${_ended% })"
  fi
  if settled; then
    FROM=$DECISION_FROM TO=$DECISION_TO
    begin_watch
    finish 0 ok "release $TO is on"
  fi
  printf '%s\n' "${_ended% }" >"$RUN/exit"
  exit 0
}
