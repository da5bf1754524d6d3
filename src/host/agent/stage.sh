# Brings an upload to its place as a release: unpacked beside, checked, synced, renamed. Needs no lock: a run touches
# only names of its own until the rename.

# Ends with 11 or 12 unless releases/RELEASE is there and whole afterwards.
stage_release() {
  _release=$ETC/releases/$RELEASE
  if [ -d "$_release" ] && [ -z "$DAMAGED" ]; then
    return 0
  fi
  [ -d "$UPLOAD/release" ] || fail 11 "release $RELEASE is not whole on this host any more"
  sweep "$ETC/releases"
  part_name "$ETC/releases"
  # Without the upload's modes: directories 0755, files 0644.
  _out=$(cp -r --no-preserve=mode -- "$UPLOAD/release" "$PART" 2>&1) || stage_failed 12 "$_out"
  _bad=$(wrong_sums "$PART/.gofleet/manifest" "$PART") || stage_failed 11 "not what the manifest says: $(shown_paths "$_bad")"
  _extra=$(extra_files "$PART")
  [ -z "$_extra" ] || stage_failed 11 "not in the manifest: $(shown_paths "$_extra")"
  _out=$(build_tree "$PART" "$_release" 2>&1) || stage_failed 12 "$_out"
  sync -f "$PART" 2>/dev/null
  if [ ! -d "$_release" ]; then
    _out=$(mv -T -- "$PART" "$_release" 2>&1) || [ -d "$_release" ] || stage_failed 12 "$_out"
  else
    repair_tree "$PART" "$_release" || stage_failed 12 "$_release could not be repaired"
  fi
  rm -rf -- "$PART"
  sync -f "$ETC" 2>/dev/null
  emit staged
}

stage_failed() {
  rm -rf -- "$PART"
  fail "$1" "$(printf '%s' "$2" | head -c 2000)"
}

shown_paths() {
  printf '%s\n' "$1" | sed -n "s|^$(printf '%s' "$PART" | sed 's/[].[\*^$|]/\\&/g')||; 1,5p" | tr '\n' ' '
}

# Modes, owners that exist by now, and the links of a tree that will stand at $2.
build_tree() {
  awk -F '\t' -v dir="$1" '
    ($1 == "file" || $1 == "copy") && $3 " " $4 ":" $5 != "0644 root:root" { print $3 "\t" $4 ":" $5 "\t" dir $2 }
    ' "$1/.gofleet/manifest" | sort | set_attributes || return 1
  has "$MANIFEST" symlink || has "$MANIFEST" secret || return 0
  awk -F '\t' -v OFS='\t' -v R="$ROOT" -v dir="$1" -v at="/etc/gofleet/$COMPONENT/releases/$RELEASE" \
    -v secrets="/var/lib/gofleet/$COMPONENT/secrets/" "$AWK_PATHS"'
    $1 == "symlink" { print inside(at $2, $3), dir $2 }
    $1 == "secret" { p = "/.gofleet/secrets/" $2; print inside(at p, secrets $3), dir p }' "$1/.gofleet/manifest" |
    while IFS=$TAB read -r _target _path; do
      mkdir -p -- "${_path%/*}" && ln -sfn -- "$_target" "$_path" || exit 1
    done
}

# set_attributes: mode, owner:group and path by line, sorted; one process for each run of equal ones.
set_attributes() {
  _mode='' _who=''
  set --
  while IFS=$TAB read -r _m _w _p; do
    if [ "$_m $_w" != "$_mode $_who" ]; then
      apply_attributes "$@" || return 1
      _mode=$_m _who=$_w
      set --
    fi
    set -- "$@" "$_p"
  done
  apply_attributes "$@"
}

apply_attributes() {
  [ $# -gt 0 ] || return 0
  # The owner first: chown clears the set-id bits.
  if [ -z "$ROOT" ] && [ "$_who" != root:root ]; then
    # A user of this release does not exist yet; set_owners comes back for it.
    getent passwd "${_who%:*}" >/dev/null && getent group "${_who#*:}" >/dev/null && { chown -- "$_who" "$@" || return 1; }
  fi
  chmod -- "$_mode" "$@"
}

# Files of the tree that the manifest does not name.
extra_files() {
  find "$1" -type f -printf '/%P\n' | awk -F '\t' '
    FNR == NR {
      if ($1 == "file" || $1 == "copy") known[$2]
      if ($1 == "watch") known["/.gofleet/watch"]
      if ($1 == "probe" || $1 == "check") known["/.gofleet/" $1 "s/" $2]
      next
    }
    !($0 in known) && $0 != "/.gofleet/manifest" && $0 !~ /^\/\.gofleet\/overlay\//' "$1/.gofleet/manifest" -
}

# Every file and link of $1 over that of $2, each by a rename; what is too much goes.
repair_tree() {
  find "$1" -mindepth 1 -type d -printf '%P\n' | while IFS= read -r _path; do
    [ -d "$2/$_path" ] && [ ! -L "$2/$_path" ] || { rm -f -- "$2/$_path" && mkdir -- "$2/$_path"; } || exit 1
  done || return 1
  find "$2" -mindepth 1 ! -type d ! -path "$2/.gofleet/overlay/*" -printf '%P\n' | while IFS= read -r _path; do
    [ -e "$1/$_path" ] || [ -L "$1/$_path" ] || rm -f -- "$2/$_path"
  done
  find "$1" ! -type d -printf '%P\n' | while IFS= read -r _path; do
    [ ! -d "$2/$_path" ] || [ -L "$2/$_path" ] || rm -rf -- "${2:?}/$_path"
    mv -fT -- "$1/$_path" "$2/$_path" || exit 1
  done
}

# Secret bytes, by their digest; a present one is never written again.
stage_secrets() {
  has "$MANIFEST" secret || return 0
  awk -F '\t' '$1 == "secret" { print $3 }' "$MANIFEST" >"$WORK/secrets"
  sweep "$VAR/secrets"
  while IFS= read -r _hmac; do
    [ ! -f "$VAR/secrets/$_hmac" ] || continue
    [ -f "$UPLOAD/secrets/$_hmac" ] || fail 11 "the upload lacks secret $_hmac"
    part_name "$VAR/secrets"
    { cp -- "$UPLOAD/secrets/$_hmac" "$PART" && chmod 0400 -- "$PART" && sync "$PART" && mv -fT -- "$PART" "$VAR/secrets/$_hmac"; } ||
      stage_failed 12 "secret $_hmac could not be stored"
  done <"$WORK/secrets"
}
