# A release that is declared irreversible: what it does to the host's data no older release undoes. From the moment its units
# are entered (phase `committed`) it stays, whatever comes of it, and older releases are marked as behind it.

irreversible() {
  [ -f "$1" ] && has "$1" revert
}

# Before the first unit of the release is entered.
commit_txn() {
  [ "$TXN_PHASE" != committed ] || return 0
  for _record in "$VAR/releases"/*; do
    [ -f "$_record" ] && [ "${_record##*/}" != "$TO" ] || continue
    printf 'behind %s\n' "$TO" >>"$_record" || return 1
  done
  write_txn committed
}

# Must what is on now stay? Put on again over itself it was committed before.
stays() {
  irreversible "$ETC/releases/$TO/.gofleet/manifest" && { [ "$TXN_PHASE" = committed ] || [ "$FROM" = "$TO" ]; }
}

# stay WHY: the end of a transaction that failed and does not go back.
stay() {
  settle_unproven || fail 12 "the transaction could not be settled: no space or read-only"
  disarm
  arm_watch
  finish 24 failed "$1; it stays, for its release is declared irreversible"
}

# Settles the release although not all of its probes passed: what is stored of those that did not goes, so that the next
# run probes again.
settle_unproven() {
  while IFS=$TAB read -r _kind _name _rest; do
    [ "$_kind" != probe ] || [ -e "$EVIDENCE/good-$_name" ] || rm -f -- "$VAR/probes/$_name"
  done <"$ETC/releases/$TO/.gofleet/manifest"
  settle
}

# finish_committed: what an agent that was ended had begun, and the end of the verb.
finish_committed() {
  COMMITS=1
  come_on force
  settle || fail 12 "the transaction could not be settled: no space or read-only"
  begin_watch
  finish 0 ok "release $TO is on"
}

# The same after a reboot: nothing is up yet that could be probed.
boot_committed() {
  FROM=$TXN_FROM TO=$TXN_TO
  CAUSE="the host was restarted before the release was judged; it stays, for it is declared irreversible"
  (
    read_request "$VAR/runs/$TX"
    settle_unproven && audit boot ok "$FROM" "$TO" "$CAUSE"
  ) && TXN_PHASE=''
}
