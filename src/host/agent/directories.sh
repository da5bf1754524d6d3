# Directories the agent makes, and temporary names in them.

# A temporary name carries the transaction and the pid, so that whoever holds the lock can tell the dead from the living.
part_name() {
  PART=$1/.part.$TX.$$
}

# sweep DIRECTORY: removes what dead runs left.
sweep() {
  for _part in "$1"/.part.*; do
    [ -e "$_part" ] || continue
    ! kill -0 "${_part##*.}" 2>/dev/null || continue
    sweep_builder "$_part"
    rm -rf -- "$_part"
  done
}

# make_directories DIRECTORY…: with their parents; those that were missing are recorded, to be removed when empty.
make_directories() {
  set -- "$@" --
  while [ "$1" != -- ]; do
    if [ ! -d "$1" ]; then
      _dir=$1
      while [ ! -d "$_dir" ]; do
        set -- "$@" "$_dir"
        _dir=${_dir%/*}
        [ -n "$_dir" ] || break
      done
    fi
    shift
  done
  shift
  [ $# -gt 0 ] || return 0
  if [ -d "$HOST_VAR" ]; then
    printf '%s\n' "$@" >>"$HOST_VAR/created" && mkdir -p -- "$@"
  else
    mkdir -p -- "$@" && printf '%s\n' "$@" >>"$HOST_VAR/created"
  fi
}

# The component's directories, and this run's.
make_component() {
  make_directories "$HOST_ETC" "$HOST_VAR" "$HOST_LIB" "$HOST_RUN" || return 1
  chmod 0755 -- "$HOST_RUN" 2>/dev/null
  [ ! -d "$ETC/releases" ] || [ ! -d "$VAR/probes" ] || return 0
  mkdir -p -- "$ETC/releases" "$VAR/displaced" "$VAR/runs" "$VAR/secrets" "$VAR/downloads" "$VAR/probes" &&
    chmod 0700 -- "$VAR" || return 1
}

# Directories the agent made go when nothing is left in them.
remove_empty_directories() {
  [ -s "$WORK/drop" ] && [ -f "$HOST_VAR/created" ] || return 0
  sort -ru "$HOST_VAR/created" >"$WORK/created"
  set --
  while IFS= read -r _dir; do set -- "$@" "$_dir"; done <"$WORK/created"
  rmdir -- "$@" 2>/dev/null
  for _dir in "$@"; do
    [ ! -d "$_dir" ] || printf '%s\n' "$_dir"
  done | write_file "$HOST_VAR/created"
}
