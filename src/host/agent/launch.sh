# Detaching from the connection, and following what was detached.

# The run's directory, with everything `apply` needs.
open_run() {
  RUN_DIR=$VAR/runs/$TX
  mkdir -p -- "$RUN_DIR" && cp -- "$UPLOAD/agent" "$UPLOAD/request" "$RUN_DIR/" && printf '%s\n' "$$" >"$RUN_DIR/pid" &&
    cp -- "$LOG" "$RUN_DIR/log" || fail 12 "$RUN_DIR cannot be written: no space or read-only"
  RUN=$RUN_DIR
  LOG=$RUN/log
}

launch() {
  rm -f -- "$RUN/pid"
  if [ -n "$SYSTEMD" ]; then
    install_boot || fail 12 "the boot service could not be installed"
    OUTPUT=$(systemd-run --quiet --collect --unit="gofleet-$COMPONENT-$TX" --description="gofleet: $COMPONENT" \
      --property="ExecStopPost=/bin/sh $RUN/agent exited $RUN" --property="StandardOutput=append:$RUN/stdout" \
      --property="StandardError=append:$RUN/stdout" /bin/sh "$RUN/agent" apply "$RUN" 2>&1) ||
      fail 12 "systemd-run: $OUTPUT"
  else
    setsid sh "$RUN/agent" apply "$RUN" </dev/null >>"$RUN/stdout" 2>&1 &
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
    if [ $((_quiet % 40)) = 0 ] && ! run_alive "$RUN" && [ ! -e "$RUN/exit" ]; then
      sleep 0.5
      run_alive "$RUN" || [ -e "$RUN/exit" ] || died "no process and no result"
    fi
    sleep 0.03
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

# ExecStopPost= of the unit: systemd knows how the agent ended when it could not say so itself.
verb_exited() {
  [ -e "$UPLOAD/exit" ] || printf '%s\n' "${SERVICE_RESULT:-ended} ${EXIT_CODE:-early} ${EXIT_STATUS:-}" >"$UPLOAD/exit"
}
