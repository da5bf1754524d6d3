# Checks of the plan before the switch: they may take minutes, so nothing is locked, and nothing has changed when one fails.

# run_checks: every check passes, or the verb ends with 23. Only for a release that would come on, and once for each
# transaction, however often a connection is cut.
run_checks() {
  has "$MANIFEST" check || return 0
  [ -z "$SKIPCHECKS" ] && [ "$RELEASE" != "$CURRENT" ] || return 0
  # What is staged stays, even of a first release: the next run needs not fetch it again.
  FIRST=
  EVIDENCE=$RUN/evidence
  mkdir -p -- "$EVIDENCE" || fail 12 "$EVIDENCE cannot be written: no space or read-only"
  awk -F '\t' -v OFS='\t' '$1 == "check" { print $2, $3 }' "$MANIFEST" >"$WORK/checks"
  grep -qsF -- "$TX $RELEASE " "$VAR/checked" || : >"$VAR/checked" || fail 12 "$VAR/checked cannot be written"
  while IFS=$TAB read -r _name _timeout <&3; do
    grep -qxF -- "$TX $RELEASE $_name" "$VAR/checked" || run_check "$_name" "$_timeout"
  done 3<"$WORK/checks"
}

# run_check NAME TIMEOUT: in the background, so that a signal to the agent ends it at once.
run_check() {
  _left=$(seconds_left)
  [ "$_left" -gt 0 ] || fail 23 "check $1: no time left to run it"
  [ "$_left" -lt "$2" ] || _left=$2
  emit check name "$1" msg running
  pause_at checking
  BEFORE_CHILD=${!:-none}
  GOFLEET_ROOT=$ROOT GOFLEET_STAGED=$ETC/releases/$RELEASE timeout -k 5 "$_left" \
    sh "$ETC/releases/$RELEASE/.gofleet/checks/$1" </dev/null >"$EVIDENCE/check-$1" 2>&1 3<&- 9>&- &
  await_child
  mask_file "$EVIDENCE/check-$1" "$RELEASE"
  OUTPUT=$(tail -c 1500 "$EVIDENCE/check-$1" 2>/dev/null | tr -d '\000')
  case $_code in
    0)
      # Before it is said, which without a connection is the end.
      printf '%s\n' "$TX $RELEASE $1" >>"$VAR/checked"
      emit check name "$1" msg passed out "$OUTPUT"
      ;;
    124 | 137) check_failed "$1" "took longer than $_left s" ;;
    *) check_failed "$1" "exit code $_code" ;;
  esac
}

# check_failed NAME REASON
check_failed() {
  emit check name "$1" msg failed
  fail 23 "check $1: $2${OUTPUT:+: $OUTPUT}"
}
