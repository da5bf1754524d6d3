# Before anything is touched: the operator's view of the host, and each format's own validator.

# Ends with 17 unless the host is where the operator believes it to be, or moved by its own decision.
check_expected() {
  [ -n "$CURRENT" ] || return 0
  [ "$EXPECT" != any ] || return 0
  for _known in "$CURRENT" ${TXN_PHASE:+"$TXN_FROM" "$TXN_TO"}; do
    case ,$EXPECT,$RELEASE, in *,"$_known",*) return 0 ;; esac
  done
  # A new owner of the same stack takes over whatever is there.
  [ -n "$EXPECT" ] || [ -z "$OWNER_INSTANCE" ] || [ "$OWNER_INSTANCE" = "$INSTANCE" ] || return 0
  read_decision "$VAR/decision"
  case ,$EXPECT, in
    *,"$DECISION_FROM",*) [ -z "$DECISION_FROM" ] || [ "$DECISION_TO" != "$CURRENT" ] || return 0 ;;
  esac
  read_decision "$VAR/moved"
  fail 17 "$COMPONENT is on release $CURRENT, expected ${EXPECT:-none}; \
moved at ${DECISION_TIME:-an unknown time} by ${DECISION_OPERATOR:-an unknown operator} from ${DECISION_FROM:-nothing}. \
Run \`pulumi up --refresh\` to start from what is there"
}

# What the host did by itself since the operator was last here.
tell_decision() {
  read_decision "$VAR/decision"
  [ -n "$DECISION_FROM" ] && [ "$DECISION_TO" = "$CURRENT" ] || return 0
  # Only the last runs are kept.
  [ -d "$DECISION_EVIDENCE" ] || DECISION_EVIDENCE=
  emit decision time "$DECISION_TIME" from "$DECISION_FROM" to "$DECISION_TO" msg "$DECISION_CAUSE" \
    evidence "$DECISION_EVIDENCE"
}

# Starts the slow part of the pre-check, which needs nothing but the staged tree, beside the launch: RUN/verify gets
# what the validator says, verified its exit code.
begin_verify() {
  [ -n "$SYSTEMD" ] && units_differ "$CURRENT" "$MANIFEST" || return 0
  {
    verify_units >"$RUN/verify" 2>&1
    printf '%s\n' "$?" >"$RUN/verified.new" && mv -fT -- "$RUN/verified.new" "$RUN/verified"
  } </dev/null >/dev/null 2>&1 9>&- &
  printf '%s\n' "$!" >"$RUN/verifying"
}

# Ends with 13 unless the validator found nothing. A cut connection may have ended it; then it runs again.
end_verify() {
  if [ -f "$RUN/verifying" ] && read -r _pid <"$RUN/verifying"; then
    while [ ! -f "$RUN/verified" ] && kill -0 "$_pid" 2>/dev/null; do sleep 0.01; done
  fi
  _code=
  [ ! -f "$RUN/verified" ] || read -r _code <"$RUN/verified"
  if [ -z "$_code" ]; then
    verify_units >"$RUN/verify" 2>&1 9>&-
    _code=$?
  fi
  [ "$_code" = 0 ] && return 0
  OUTPUT=$(cat "$RUN/verify")
  precheck_failed "systemd-analyze verify"
}

# Each format's own validator on the staged tree; ends with 13 before anything is touched.
precheck() {
  [ -n "$SYSTEMD" ] && [ -z "$ROOT" ] || return 0
  _tree=$ETC/releases/$RELEASE
  emit precheck msg "$RELEASE"
  UNITS_CHANGED=
  if units_differ "$CURRENT" "$MANIFEST"; then
    UNITS_CHANGED=1
    end_verify
  fi
  # A link to a unit that has to be made again is news to systemd as well.
  ! grep -qs -- "$TAB/etc/systemd/" "$WORK/make" "$WORK/drop" || UNITS_CHANGED=1
  tree_files "$MANIFEST" /etc/sysusers.d/
  for _file in $FOUND; do
    # Older versions cannot try it (before 250).
    [ "$FACT_SYSTEMD" -lt 250 ] || cmp -s "$_tree$_file" "$ETC/current$_file" ||
      OUTPUT=$(systemd-sysusers --dry-run "$_tree$_file" 2>&1 9>&-) || precheck_failed "systemd-sysusers --dry-run"
  done
  tree_files "$MANIFEST" /etc/sudoers.d/
  for _file in $FOUND; do
    ! command -v visudo >/dev/null 2>&1 || OUTPUT=$(visudo -c -f "$_tree$_file" 2>&1 9>&-) || precheck_failed "visudo -c"
  done
  tree_files "$MANIFEST" /etc/ssh/sshd_config.d/
  for _file in $FOUND; do
    ! command -v sshd >/dev/null 2>&1 || { mkdir -p /run/sshd && check_sshd "$_tree$_file"; } || precheck_failed "sshd -t"
  done
}

# Unit files of the staged tree, among the host's own. Templates have no instance to verify.
verify_units() {
  _tree=$ETC/releases/$RELEASE
  tree_files "$MANIFEST" /etc/systemd/system/
  set --
  for _file in $FOUND; do
    case ${_file#/etc/systemd/system/} in
      */* | *@.*) ;;
      *.service | *.socket | *.timer | *.mount | *.path | *.slice | *.target) set -- "$@" "$_tree$_file" ;;
    esac
  done
  [ $# -gt 0 ] || return 0
  SYSTEMD_UNIT_PATH="$_tree/etc/systemd/system:" systemd-analyze verify --man=no "$@"
}

precheck_failed() {
  say_output "$OUTPUT"
  fail 13 "$1: $(printf '%s' "$OUTPUT" | head -c 1500)"
}

# A drop-in in front of the configuration that is there, as sshd would read them.
check_sshd() {
  { printf 'Include %s\n' "$1" && cat /etc/ssh/sshd_config; } >"$WORK/sshd_config"
  OUTPUT=$(sshd -t -f "$WORK/sshd_config" 2>&1 9>&-)
}
