# The switch of one component, under the lock, detached from the operator's connection.

verb_apply() {
  ECHO=
  RUN=$UPLOAD
  LOG=$RUN/log
  printf '%s\n' "$$" >"$RUN/pid" || exit 12
  set_component "$COMPONENT"
  MANIFEST=$ETC/releases/$RELEASE/.gofleet/manifest
  FROM='' TO=$RELEASE
  set_work "$RUN"
  take_lock "$LOCKWAIT"
  emit locked
  pause_at locked
  set_component "$COMPONENT"
  sweep_all
  still_staged || fail 75 "what was staged was swept by another run; run it again"
  check_owner
  check_expected
  FROM=$CURRENT
  # What was not settled is inherited, unless it cannot be taken back any more.
  case $TXN_PHASE in '' | committed) ;; *) FROM=$TXN_FROM ;; esac
  FORCE=$TXN_PHASE
  # The tree was checked when it was staged, just now; copies outside may have changed.
  : >"$WORK/bad"
  ! has "$MANIFEST" copy || wrong_sums "$MANIFEST" "$ETC/releases/$RELEASE" copies >"$WORK/bad"
  make_plan "$MANIFEST" "$RELEASE" "$WORK" || fail 12 "the plan could not be written: no space or read-only"
  check_paths "$MANIFEST" "$WORK"
  check_ports
  FACT_SYSTEMD=0
  [ -z "$SYSTEMD" ] || systemd_version
  precheck
  pause_at checked
  [ -z "$BLAMED" ] || [ "$CURRENT" = "$RELEASE" ] || evidence_left "$RUN/left" "$RELEASE"
  confirm_seconds "$MANIFEST"
  if irreversible "$MANIFEST"; then COMMITS=1 SECONDS_TO_CONFIRM=0; fi
  [ -n "$OWNER_INSTANCE" ] || write_owner "$STACK" "$URN" "$INSTANCE" || fail 12 "$ETC/owner cannot be written"
  write_txn switching || fail 12 "$ETC/txn cannot be written: no space or read-only"
  TXN_FROM=$FROM TXN_TO=$TO TXN_TX=$TX
  [ -z "$FORCE" ] || disarm
  pause_at txn
  if [ "$SECONDS_TO_CONFIRM" -gt 0 ]; then
    disarm
    # Long enough for the switch itself; the window proper begins when the probes are through.
    arm $((SECONDS_TO_CONFIRM + DEADLINE)) || { rm -f -- "$ETC/txn"; fail 14 "the timer that goes back could not be armed"; }
    emit armed msg "$SECONDS_TO_CONFIRM"
    pause_at armed
  fi
  if ! switch_to "$RELEASE"; then
    go_back "the switch failed: $(complaints)"
  fi
  # Not on the disk at once: after a power cut both phases mean the same.
  write_text "$ETC/txn" "tx $TX${NL}from $FROM${NL}to $TO${NL}phase activating"
  TXN_PHASE=activating
  come_on "$FORCE"
  if [ "$SECONDS_TO_CONFIRM" -gt 0 ]; then
    await_confirmation "$SECONDS_TO_CONFIRM"
  fi
  settle || fail 12 "the transaction could not be settled"
  pause_at settled
  arm_watch
  conclude 0 ok "release $RELEASE is on"
  # Nobody waits for this; a tree of some hundred megabytes takes a second to delete.
  collect_garbage
  exit 0
}

# come_on FORCE: activation and probes of the release that was switched to. Comes back only from one that is well.
come_on() {
  if ! activate "$RELEASE" "$1"; then
    WHY="activation failed${OUTPUT:+: $(printf '%s' "$OUTPUT" | tail -c 600)}"
    evidence "$RELEASE" "$WHY"
    go_back "$WHY"
  fi
  note_start
  pause_at probing
  if ! probe_all "$RELEASE"; then
    evidence "$RELEASE" "$WHY"
    go_back "$WHY"
  fi
  pause_at probed
}

# Between staging and the lock another run may have swept what this one found in place: staged again, it is there.
still_staged() {
  [ -f "$MANIFEST" ] || return 1
  has "$MANIFEST" download || has "$MANIFEST" secret || return 0
  while IFS=$TAB read -r _kind _name _hmac _rest; do
    case $_kind in
      download) [ -d "$LIB/$_name" ] || return 1 ;;
      secret) [ -f "$VAR/secrets/$_hmac" ] || return 1 ;;
    esac
  done <"$MANIFEST"
}

# Names that dead processes left behind.
sweep_all() {
  sweep "$ETC/releases"
  sweep "$LIB"
  sweep "$VAR/secrets"
  sweep_uploads
  sweep_packages
  for _left in "$ETC"/*.new "$VAR"/*.new "$VAR/displaced"/*.new; do
    [ ! -e "$_left" ] && [ ! -L "$_left" ] || rm -rf -- "$_left"
  done
  [ -z "$TXN_PHASE" ] || sweep_copies
}

# Uploads of dead processes; an upload may hold secrets.
sweep_uploads() {
  for _left in "$HOST_RUN"/up.*/pid; do
    [ -f "$_left" ] && read -r _pid <"$_left" || continue
    kill -0 "$_pid" 2>/dev/null || rm -rf -- "${_left%/pid}"
  done
}

# await_confirmation SECONDS: the new release is on, and goes again unless a new connection says that it may stay.
await_confirmation() {
  write_txn unconfirmed || go_back "the transaction could not be written"
  disarm
  arm "$1" || go_back "the timer that goes back could not be armed"
  pause_at unconfirmed
  finish 0 unconfirmed "release $RELEASE is on and waits $1 s for a confirmation"
}
