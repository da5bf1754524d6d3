# After the switch: users, directories, kernel settings, unit files and the units themselves.

# activate FROM TO FORCE: FORCE is not empty when an unfinished transaction may have left units mixed.
activate() {
  [ -z "$ROOT" ] || {
    not_applied "$2"
    return 0
  }
  ACTIVE=$2
  _to=/dev/null
  [ -z "$2" ] || _to=$ETC/releases/$2/.gofleet/manifest
  make_users "$_to" && set_owners "$_to" || return 1
  pause_at users
  remember_data "$_to"
  make_host_settings "$_to" || return 1
  [ -n "$SYSTEMD" ] || return 0
  if [ -n "$3" ] || units_changed "$1" "$_to" || units_stale "$_to"; then
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
    ($1 == "file" || $1 == "copy") && $2 ~ /^\/etc\/(sysusers|tmpfiles|sysctl)\.d\// { printf " %s", $2 }
    ($1 == "file" || $1 == "copy") && $4 ":" $5 != "root:root" { printf " %s (%s:%s)", $2, $4, $5 }
  ' "$ETC/releases/$1/.gofleet/manifest")
  [ -z "$_files" ] || emit out msg "not applied under a root:$_files"
}

# tree_files MANIFEST PREFIX: the managed paths below a directory, as words.
tree_files() {
  awk -F '\t' -v prefix="$2" '($1 == "file" || $1 == "copy") && index($2, prefix) == 1 { print $2 }' "$1"
}

# on_files FILES COMMAND…: the command with the files as its last arguments.
on_files() {
  _list=$1
  shift
  # shellcheck disable=SC2086 # managed paths have no white space and no pattern characters
  quiet "$@" $_list
}

make_users() {
  _files=$(tree_files "$1" /etc/sysusers.d/)
  [ -z "$_files" ] || on_files "$_files" systemd-sysusers
}

# Owners that did not exist while the release was staged.
set_owners() {
  awk -F '\t' -v tree="$ETC/releases/$ACTIVE" '
    ($1 == "file" || $1 == "copy") && $4 ":" $5 != "root:root" {
      print $3 "\t" $4 ":" $5 "\t" tree $2
      if ($1 == "copy") print $3 "\t" $4 ":" $5 "\t" $2
    }' "$1" | while IFS=$TAB read -r _m _w _p; do
    chown -- "$_w" "$_p" && chmod -- "$_m" "$_p" || exit 1
  done
}

make_host_settings() {
  _files=$(tree_files "$1" /etc/tmpfiles.d/)
  if [ -n "$_files" ]; then
    on_files "$_files" systemd-tmpfiles --create
    # 65 and 73: some lines were ignored or could not be done, which systemd itself takes as success at boot.
    case $? in 0 | 65 | 73) ;; *) return 1 ;; esac
  fi
  _files=$(tree_files "$1" /etc/sysctl.d/)
  if [ -n "$_files" ]; then
    remember_sysctl "$_files"
    for _sysctl in /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl; do
      [ -x "$_sysctl" ] || continue
      on_files "$_files" "$_sysctl" || return 1
      break
    done
  fi
  restore_sysctl "$_files"
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

# Did a unit file change between two releases, or was one repaired?
units_changed() {
  ! grep -q -- "$TAB/etc/systemd/" "$WORK/make" "$WORK/drop" || return 0
  _was=/dev/null
  [ -z "$1" ] || [ ! -f "$ETC/releases/$1/.gofleet/manifest" ] || _was=$ETC/releases/$1/.gofleet/manifest
  [ "$(grep -- "$TAB/etc/systemd/" "$_was")" != "$(grep -- "$TAB/etc/systemd/" "$2")" ]
}
