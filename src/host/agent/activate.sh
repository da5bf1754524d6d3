# After the switch: users, directories, kernel settings, unit files and the units themselves.

# activate RELEASE FORCE: FORCE is not empty when an unfinished transaction may have left units mixed.
activate() {
  [ -z "$ROOT" ] || {
    not_applied "$1"
    return 0
  }
  ACTIVE=$1
  _to=/dev/null
  [ -z "$1" ] || _to=$ETC/releases/$1/.gofleet/manifest
  make_users "$_to" && set_owners "$_to" || return 1
  pause_at users
  remember_data "$_to"
  make_host_settings "$_to" && refresh_trust || return 1
  [ -n "$SYSTEMD" ] || return 0
  if [ -n "$2$UNITS_CHANGED" ] || units_stale "$_to"; then
    quiet systemctl daemon-reload || return 1
  fi
  pause_at reloaded
  leave_units "$_to"
  enter_units "$_to"
}

# Under a root the files are all there is.
not_applied() {
  [ -n "$1" ] || return 0
  _files=$(awk -F '\t' '
    $1 == "package" { printf " %s %s", $1, $2 }
    ($1 == "file" || $1 == "copy") && $2 ~ /^\/(etc\/(sysusers|tmpfiles|sysctl)\.d|usr\/local\/share\/ca-certificates)\// { printf " %s", $2 }
    ($1 == "file" || $1 == "copy") && $4 ":" $5 != "root:root" { printf " %s (%s:%s)", $2, $4, $5 }
  ' "$ETC/releases/$1/.gofleet/manifest")
  [ -z "$_files" ] || emit out msg "not applied under a root:$_files"
}

# tree_files MANIFEST PREFIX: sets FOUND to the managed paths below a directory, as words.
tree_files() {
  FOUND=
  manifest_text "$1"
  case $MANIFEST_TEXT in *"$TAB$2"*) ;; *) return 0 ;; esac
  while IFS=$TAB read -r _kind _path _rest; do
    case $_kind$_path in file"$2"* | copy"$2"*) FOUND="$FOUND $_path" ;; esac
  done <"$1"
}

# on_files FILES COMMAND…: the command with the files as its last arguments.
on_files() {
  _list=$1
  shift
  # shellcheck disable=SC2086 # managed paths have no white space and no pattern characters
  quiet "$@" $_list
}

make_users() {
  tree_files "$1" /etc/sysusers.d/
  [ -z "$FOUND" ] || on_files "$FOUND" systemd-sysusers
}

# Owners that did not exist while the release was staged.
set_owners() {
  while IFS=$TAB read -r _kind _path _mode _owner _group _sum; do
    case $_kind in file | copy) ;; *) continue ;; esac
    [ "$_owner:$_group" != root:root ] || continue
    set -- "$ETC/releases/$ACTIVE$_path"
    [ "$_kind" = file ] || set -- "$@" "$_path"
    # The owner first: chown clears the set-id bits.
    chown -- "$_owner:$_group" "$@" && chmod -- "$_mode" "$@" || return 1
  done <"$1"
}

make_host_settings() {
  tree_files "$1" /etc/tmpfiles.d/
  if [ -n "$FOUND" ]; then
    on_files "$FOUND" systemd-tmpfiles --create
    # 65 and 73: some lines were ignored or could not be done, which systemd itself takes as success at boot.
    case $? in 0 | 65 | 73) ;; *) return 1 ;; esac
  fi
  tree_files "$1" /etc/sysctl.d/
  if [ -n "$FOUND" ]; then
    remember_sysctl "$FOUND"
    for _sysctl in /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl; do
      [ -x "$_sysctl" ] || continue
      on_files "$FOUND" "$_sysctl" || return 1
      break
    done
  fi
  restore_sysctl "$FOUND"
}

# Directories that tmpfiles or the units are about to make: they go with the component, unless they were there before.
remember_data() {
  _files=$(awk -F '\t' -v tree="$ETC/releases/$ACTIVE" '
    $1 == "file" && $2 ~ /^\/etc\/(tmpfiles\.d|systemd\/system)\// { print tree $2 }' "$1")
  [ -n "$_files" ] || return 0
  # shellcheck disable=SC2086 # managed paths have no white space and no pattern characters
  awk '
    FILENAME ~ /\/tmpfiles\.d\// && $1 ~ /^[dDvqQfFpLcbC]/ && $2 ~ /^\// && $2 !~ /%/ { print $2; next }
    FILENAME ~ /\/tmpfiles\.d\// { next }
    match($0, /^(State|Cache|Logs|Configuration)Directory=/) {
      kind = substr($0, 1, RLENGTH - 10)
      base = kind == "State" ? "/var/lib/" : kind == "Cache" ? "/var/cache/" : kind == "Logs" ? "/var/log/" : "/etc/"
      n = split(substr($0, RLENGTH + 1), dir, /[ \t]+/)
      for (i = 1; i <= n; i++) if (dir[i] != "" && dir[i] !~ /%/) {
        sub(/:.*/, "", dir[i])
        print base dir[i]
        if (kind != "Configuration") print base "private/" dir[i]
      }
    }' $_files | while IFS= read -r _dir; do
    [ -e "$_dir" ] || grep -qsxF -- "$_dir" "$VAR/data" || printf '%s\n' "$_dir" >>"$VAR/data"
  done
}

# Does systemd know older files of the units than those on the disk?
units_stale() {
  plan_units "$1"
  [ -s "$WORK/verbs" ] && grep -q "${TAB}yes$TAB" "$WORK/units"
}

# Did a unit file change between two releases? From the manifests alone.
units_differ() {
  _was=/dev/null
  [ -z "$1" ] || [ ! -f "$ETC/releases/$1/.gofleet/manifest" ] || _was=$ETC/releases/$1/.gofleet/manifest
  awk -F '\t' '
    $2 !~ /^\/etc\/systemd\// { next }
    FILENAME == ARGV[1] { was[$0]; n++; next }
    !($0 in was) { exit changed = 1 }
    { n-- }
    END { exit changed || n != 0 }' "$_was" "$2" && return 1
  return 0
}
