# A command of the operator on this host.

# `hook`: runs the operator's script, outside any transaction, and answers with what it printed.
verb_hook() {
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  [ -f "$UPLOAD/hook" ] || fail 11 "the upload holds no hook"
  OUTPUT=$(timeout -k 2 "$DEADLINE" sh "$UPLOAD/hook" 2>&1 </dev/null)
  _code=$?
  # Of what is staged and not on yet as well.
  # shellcheck disable=SC2046 # names without white space
  OUTPUT=$(printf '%s' "$OUTPUT" | mask_secrets $(ls -- "$ETC/releases" 2>/dev/null) | tail -c 4096)
  case $_code in
    0) finish 0 ok "$OUTPUT" ;;
    124 | 137) finish 1 failed "took longer than $DEADLINE s: $OUTPUT" ;;
    *) finish 1 failed "exit code $_code: $OUTPUT" ;;
  esac
}
