# The switch from one release to another, in an order that converges from a crash at any point:
# ledger := ledger + wanted, drop what is not wanted, flip `current`, make what is new, ledger := wanted.

# write_txn PHASE
write_txn() {
  write_text "$ETC/txn" "tx $TX${NL}from $FROM${NL}to $TO${NL}phase $1${CAUSE:+${NL}cause $CAUSE}" sync && TXN_PHASE=$1
}

# switch_to RELEASE (empty: to nothing). Expects a fresh plan in WORK; sets UNITS_CHANGED. Answers non-zero on I/O errors.
switch_to() {
  hand_over "$WORK" && mark_trust "$1" || return 1
  _next=/dev/null
  [ -z "$1" ] || _next=$ETC/releases/$1/.gofleet/manifest
  stop_leaving "$_next"
  LEDGER_RIGHT=
  if [ ! -s "$WORK/drop" ] && cmp -s "$WORK/own" "$VAR/ledger"; then
    LEDGER_RIGHT=1
  else
    cat "$WORK/own" "$WORK/drop" | write_file "$VAR/ledger" || return 1
  fi
  finish_handover "$WORK" || return 1
  pause_at ledger
  save_in_the_way && create_parents && drop_unwanted || return 1
  pause_at dropped
  if [ -n "$1" ]; then
    ln -sfn -- "releases/$1" "$ETC/current.new" && mv -fT -- "$ETC/current.new" "$ETC/current" || return 1
  else
    rm -f -- "$ETC/current" || return 1
  fi
  CURRENT=$1
  pause_at flipped
  make_wanted || return 1
  pause_at linked
  if [ -z "$LEDGER_RIGHT" ]; then
    write_file "$VAR/ledger" <"$WORK/own" || return 1
    sweep_displaced
    remove_empty_directories
  fi
  # Not synced: until the transaction is settled, which is, a power cut leads back anyway.
  emit switched
}

# Parents of managed paths.
create_parents() {
  [ -s "$WORK/mkdir" ] || return 0
  set --
  while IFS= read -r _dir; do set -- "$@" "$_dir"; done <"$WORK/mkdir"
  cat "$WORK/mkdir" >>"$HOST_VAR/created" && mkdir -p -- "$@"
}

# Paths that the release does not want: what was displaced comes back by a rename, everything else goes.
drop_unwanted() {
  set --
  while IFS=$TAB read -r _path _id; do
    _saved=$VAR/displaced/$_id
    if [ "$_id" != - ] && { [ -e "$_saved" ] || [ -L "$_saved" ]; }; then
      restore_displaced "$_saved" "$ROOT$_path" || return 1
    elif [ -L "$ROOT$_path" ] || [ ! -d "$ROOT$_path" ]; then
      set -- "$@" "$ROOT$_path"
    fi
  done <"$WORK/drop"
  [ $# = 0 ] || rm -f -- "$@"
}

# Links of one directory are made by one `ln`, which renames each over what is there.
make_wanted() {
  _here=
  set --
  while IFS=$TAB read -r _kind _dir _target _path; do
    if [ "$_kind" = copy ]; then
      rm -f -- "$_path.gf~$TX" && cp -p -- "$_target" "$_path.gf~$TX" && mv -fT -- "$_path.gf~$TX" "$_path" || return 1
    elif [ "${_target##*/}" != "${_path##*/}" ]; then
      ln -sfn -- "$_target" "$_path" || return 1
    else
      if [ "$_dir" != "$_here" ] && [ $# -gt 0 ]; then
        ln -sfn -t "$_here" -- "$@" || return 1
        set --
      fi
      _here=$_dir
      set -- "$@" "$_target"
    fi
  done <"$WORK/make"
  [ $# = 0 ] || ln -sfn -t "$_here" -- "$@"
}

# Temporary names of copies that a dead apply left beside managed paths.
sweep_copies() {
  [ -f "$VAR/ledger" ] || return 0
  while IFS=$TAB read -r _path _id; do
    for _stale in "$ROOT$_path.gf~"*; do
      [ ! -e "$_stale" ] && [ ! -L "$_stale" ] || rm -rf -- "$_stale"
    done
  done <"$VAR/ledger"
}
