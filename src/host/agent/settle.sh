# The end of a transaction, and what is thrown away then.

# A decision by somebody: who moved the component last.
record_move() {
  write_text "$VAR/moved" "time $(date -u +%Y-%m-%dT%H:%M:%SZ)${NL}operator $OPERATOR${NL}from $1${NL}to $2${NL}tx $TX"
}

# Did this transaction settle, though nobody was told? Reads who moved the component last.
settled() {
  read_decision "$VAR/moved"
  [ -z "$TXN_PHASE" ] && [ "$DECISION_TX" = "$TX" ]
}

# A decision by the host itself: record_decision FROM TO CAUSE
record_decision() {
  _evidence=${RUN:-$VAR/runs/$TX}/evidence
  [ -f "$_evidence/summary" ] || _evidence=
  write_text "$VAR/decision" "time $(date -u +%Y-%m-%dT%H:%M:%SZ)${NL}from $1${NL}to $2${NL}cause $3
evidence $_evidence" sync
}

# Sets DECISION_* from a file of `key value` lines.
read_decision() {
  DECISION_TIME='' DECISION_FROM='' DECISION_TO='' DECISION_CAUSE='' DECISION_OPERATOR='' DECISION_TX='' DECISION_EVIDENCE=''
  [ -f "$1" ] || return 0
  while read -r key value; do
    case $key in
      time) DECISION_TIME=$value ;;
      from) DECISION_FROM=$value ;;
      to) DECISION_TO=$value ;;
      cause) DECISION_CAUSE=$value ;;
      operator) DECISION_OPERATOR=$value ;;
      tx) DECISION_TX=$value ;;
      evidence) DECISION_EVIDENCE=$value ;;
    esac
  done <"$1"
}

# The release is the one to keep. From here on the new owner is the owner.
settle() {
  write_owner "$STACK" "$URN" "$INSTANCE" || return 1
  keep_probes
  record_move "$TXN_FROM" "$CURRENT"
  record_release "$CURRENT" && owe_watch || return 1
  rm -f -- "$ETC/txn" "$VAR/decision" || return 1
  TXN_PHASE=
  mark_newest || return 1
  sync -f "$ETC" 2>/dev/null
  return 0
}

# Releases are told apart by the order in which they came, which the clock alone does not tell: it may have been put back.
mark_newest() {
  touch -- "$ETC/releases/$CURRENT" || return 1
  _first=$(ls -1t -- "$ETC/releases")
  [ "${_first%%"$NL"*}" != "$CURRENT" ] || return 0
  _newest=$(stat -c %Y -- "$ETC/releases"/* | sort -n | tail -n 1)
  touch -d "@$((_newest + 1))" -- "$ETC/releases/$CURRENT"
}

# Keeps the last KEEP releases, the current one and protected ones; then what no kept release names goes too.
# Staging needs no lock: what another run has staged may go here, so it looks again once it has the lock.
collect_garbage() {
  _kept=0
  read_watch
  ls -1t -- "$ETC/releases" >"$WORK/releases"
  set --
  while IFS= read -r _id; do
    if [ "$_kept" -lt "$KEEP" ] || [ "$_id" = "$CURRENT" ] ||
      [ "$_id" = "$WATCH_FROM" ] || protected "$_id"; then
      _kept=$((_kept + 1))
      set -- "$@" "$ETC/releases/$_id/.gofleet/manifest"
    else
      rm -rf -- "${ETC:?}/releases/$_id"
    fi
  done <"$WORK/releases"
  _named=" $(awk -F '\t' '$1 == "download" { printf "%s ", $2 } $1 == "secret" { printf "%s ", $3 }' "$@" /dev/null)"
  for _path in "$LIB"/* "$VAR/secrets"/*; do
    case $_named in *" ${_path##*/} "*) ;; *) rm -rf -- "$_path" "$VAR/downloads/${_path##*/}".stat "$VAR/downloads/${_path##*/}".sums ;; esac
  done
  sweep_records
  collect_runs
}

# protected ID: does the stack hold on to it, however old it is?
protected() {
  case ,$PROTECTED, in *,"$1",*) return 0 ;; esac
  return 1
}

collect_runs() {
  set -- "$VAR/runs"/*
  [ $# -gt 10 ] || return 0
  _kept=0
  ls -1t -- "$VAR/runs" >"$WORK/runs"
  while IFS= read -r _run; do
    _kept=$((_kept + 1))
    [ "$_kept" -le 10 ] || [ "$_run" = "$TX" ] || rm -rf -- "${VAR:?}/runs/$_run"
  done <"$WORK/runs"
}
