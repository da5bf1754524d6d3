# Kernel settings: systemd sets them, and the values from before come back when no release names them.

# sysctl_keys FILES: the settings in them, as paths below /proc/sys.
sysctl_keys() {
  # shellcheck disable=SC2086 # managed paths have no white space and no pattern characters
  [ -z "$1" ] || sed -n 's/^[ \t]*-\{0,1\}\([A-Za-z0-9_./-]*\)[ \t]*=.*/\1/p' $1 | awk '
    { if ($0 !~ /\//) gsub(/\./, "/"); print }'
}

# What a setting was before the component first touched it.
remember_sysctl() {
  sysctl_keys "$1" | while IFS= read -r _key; do
    [ -r "/proc/sys/$_key" ] || continue
    grep -qs -- "^$_key$TAB" "$VAR/sysctl" || printf '%s\t%s\n' "$_key" "$(tr '\t' ' ' <"/proc/sys/$_key")" >>"$VAR/sysctl"
  done
}

# Settings that no file of the release names any more get their old value.
restore_sysctl() {
  [ -s "$VAR/sysctl" ] || return 0
  sysctl_keys "$1" >"$WORK/keys"
  while IFS=$TAB read -r _key _value; do
    if grep -qxF -- "$_key" "$WORK/keys"; then
      printf '%s\t%s\n' "$_key" "$_value"
    else
      printf '%s\n' "$_value" >"/proc/sys/$_key"
    fi
  done <"$VAR/sysctl" >"$WORK/sysctl" 2>/dev/null
  write_file "$VAR/sysctl" <"$WORK/sysctl"
}
