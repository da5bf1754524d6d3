# What stood at managed paths before: copied whole before it is replaced, and back when the path is given up.

# What stands in the way and is not ours is copied whole before it is replaced.
save_in_the_way() {
  while IFS=$TAB read -r _path _id _type; do
    save_displaced "$ROOT$_path" "$_id" || return 1
    # A link cannot be renamed over a directory, so that goes first; its copy is safe by now.
    [ "$_type" != d ] || rm -rf -- "${ROOT:?}$_path" || return 1
  done <"$WORK/displace"
}

# save_displaced PATH ID
save_displaced() {
  _saved=$VAR/displaced/$2
  if [ -e "$_saved" ] || [ -L "$_saved" ]; then return 0; fi
  rm -rf -- "$_saved.new" && cp -a -- "$1" "$_saved.new" && sync -f "$VAR" && mv -T -- "$_saved.new" "$_saved"
}

restore_displaced() {
  mkdir -p -- "${2%/*}" && rm -rf -- "$2.gf~restore" && cp -a -- "$1" "$2.gf~restore" || return 1
  if [ -d "$1" ] && [ ! -L "$1" ] && { [ -L "$2" ] || [ ! -d "$2" ]; }; then
    rm -f -- "$2" || return 1
  fi
  mv -fT -- "$2.gf~restore" "$2"
}

# Copies of displaced things that no ledger line names any more.
sweep_displaced() {
  for _saved in "$VAR/displaced"/*; do
    [ -e "$_saved" ] || [ -L "$_saved" ] || continue
    grep -q -- "$TAB${_saved##*/}\$" "$VAR/ledger" || rm -rf -- "$_saved"
  done
}
