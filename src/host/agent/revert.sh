# The same switch backwards.

# What the tools of this run said last on standard error.
complaints() {
  _said=$(tail -n 3 "$RUN/stdout" 2>/dev/null | tail -c 600 | tr '\n' ' ')
  printf '%s' "${_said:-no space, read-only or I/O error}"
}

# go_back WHY: the same switch backwards. Ends with 20, 21 (nothing to go back to), 22 (that failed too) or 24 (it stays).
go_back() {
  ! stays || stay "$1"
  COMMITS=
  emit reverting msg "$1"
  pause_at reverting
  _why=$1
  disarm
  if revert_switch "$RELEASE" "$FROM"; then
    if [ -n "$FROM" ]; then finish 20 reverted "$_why"; fi
    finish 21 failed "$_why"
  fi
  finish 22 failed "$_why; and going back failed: ${WHY:-I/O error}"
}

# revert_switch FROM-RELEASE TO-RELEASE: switch, activate, probe, settle on the release before. Sets WHY on failure.
revert_switch() {
  WHY='the switch back could not be written'
  BACKWARDS=revert-
  : >"$WORK/bad"
  _manifest=/dev/null
  if [ -n "$2" ]; then
    _manifest=$ETC/releases/$2/.gofleet/manifest
    wrong_sums "$_manifest" "$ETC/releases/$2" copies >"$WORK/bad"
  fi
  make_plan "$_manifest" "$2" "$WORK" && : >"$WORK/handover" && switch_to "$2" || return 1
  WHY="activation of $2 failed"
  activate "$2" force || { [ -z "$2" ] || return 1; }
  # The evidence is that of the other release.
  EVIDENCE=$WORK
  [ -z "$2" ] || probe_all "$2" || return 1
  # Before the transaction is over, so that a crash in between cannot lose the reason.
  [ -z "$CAUSE" ] || record_decision "$1" "$2" "$CAUSE"
  rm -f -- "$ETC/txn"
  TXN_PHASE=
  [ -n "$2" ] || take_off
  sync -f "$HOST_VAR" 2>/dev/null
  return 0
}
