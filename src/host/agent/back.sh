# A release goes back because its own watch says so: the switch of a revert, under a transaction that leads back from the
# beginning, so that whatever ends it in the middle (a kill, a power cut) is finished the same way.

# launch_back REASON: in a process of its own, as an apply is.
launch_back() {
  RUN=$VAR/runs/$TX
  LOG=$RUN/log
  rm -rf -- "$RUN"
  mkdir -p -- "$RUN" && cp -- "$HOST_LIB/agent" "$RUN/agent" && printf '%s\n' "$1" >"$RUN/cause" &&
    awk -F '\t' -v OFS='\t' -v tx="$TX" '$1 == "tx" { $2 = tx } $1 != "reason" { print }' "$VAR/watching/request" >"$RUN/request" || return 1
  printf '%s\n' "$$" >"$RUN/pid"
  launch back
}

# `back`: started by launch_back.
verb_back() {
  ECHO=
  RUN=$UPLOAD
  LOG=$RUN/log
  printf '%s\n' "$$" >"$RUN/pid" || exit 12
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  set_work "$RUN"
  take_lock 600
  emit locked
  pause_at locked
  set_component "$COMPONENT"
  read_watch
  if [ -z "$WATCH_TX" ] || [ "$CURRENT" != "$WATCH_RELEASE" ] || [ -n "$TXN_PHASE" ]; then
    finish 65 failed "release $RELEASE was replaced meanwhile; current is ${CURRENT:-nothing}"
  fi
  IFS= read -r CAUSE <"$RUN/cause"
  SINCE=$WATCH_SINCE
  FROM=$WATCH_FROM TO=$CURRENT
  evidence "$CURRENT" "$CAUSE"
  { list_group | write_file "$RUN/group"; } && [ -s "$RUN/group" ] || fail 12 "$RUN cannot be written: no space or read-only"
  back_together
}

# This component and those it goes back with, the last one that was switched first. Only what is watched itself, settled,
# and has something to go back to: the rest was not switched lately, or may not go.
list_group() {
  _list=$WATCH_TOGETHER,$COMPONENT,
  _self=$COMPONENT
  while [ -n "$_list" ]; do
    _other=${_list%%,*}
    _list=${_list#*,}
    case $_other in - | '' | *[!A-Za-z0-9._-]*) continue ;; esac
    (
      set_component "$_other"
      read_watch
      [ -n "$WATCH_TX" ] && [ "$CURRENT" = "$WATCH_RELEASE" ] && [ -z "$TXN_PHASE" ] || exit 0
      [ "$WATCH_MODE" = revert ] && [ -f "$ETC/releases/$WATCH_FROM/.gofleet/manifest" ] || exit 0
      [ "$_other" = "$_self" ] || _why="together with $_self: "
      printf '%s\t%s\t%s%s\n' "$WATCH_SERIAL" "$_other" "${_why-}" "$CAUSE"
    )
  done | sort -rn -k1,1 -u
}

# back_together: every component of RUN/group, and the end of the verb. Run again after a kill, it does what is left.
back_together() {
  _tripped=$COMPONENT
  while IFS=$TAB read -r _serial _member CAUSE <&5; do
    set_component "$_member"
    read_watch
    # All of them lead back before the first one does.
    [ "$CURRENT" = "$WATCH_RELEASE" ] && [ -z "$TXN_PHASE" ] || continue
    FROM=$WATCH_FROM TO=$CURRENT
    write_txn activating || fail 12 "$ETC/txn cannot be written: no space or read-only"
  done 5<"$RUN/group"
  pause_at txn
  _bad=''
  while IFS=$TAB read -r _serial _member CAUSE <&5; do
    set_component "$_member"
    [ "$TXN_TX" = "$TX" ] || continue
    emit reverting component "$_member" msg "$CAUSE"
    UNITS_CHANGED=''
    if revert_switch "$TXN_TO" "$TXN_FROM"; then
      # The others may well do with another release of this one.
      if [ "$_member" = "$_tripped" ]; then
        printf '%s\n' "$TXN_TO" >>"$VAR/tripped"
      else
        (audit watch reverted "$TXN_TO" "$TXN_FROM" "$CAUSE")
      fi
      disarm_watch
    else
      _bad="$_bad; $_member: $WHY"
    fi
  done 5<"$RUN/group"
  set_component "$_tripped"
  IFS= read -r CAUSE <"$RUN/cause"
  FROM=$CURRENT TO=$RELEASE
  [ -z "$_bad" ] || finish 22 failed "$CAUSE; and going back failed$_bad"
  finish 20 reverted "$CAUSE"
}
