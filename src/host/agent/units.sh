# Units: which of them need what, and doing it. A stamp says what the running unit was started with. Stamps live in
# /run, so that none survives a reboot that restarted everything. Never enable, disable, preset or mask.

# unit_states NAMES: name, load state, active state, sub state, type, result, needs reload, fragment; a line each.
unit_states() {
  # shellcheck disable=SC2086 # unit names have no white space and no pattern characters
  systemctl show --property=Id,LoadState,ActiveState,SubState,Type,Result,NeedDaemonReload,FragmentPath -- $1 2>/dev/null |
    NAMES=$1 awk -v OFS='\t' '
      function value(key, otherwise) { return key in v && v[key] != "" ? v[key] : otherwise }
      function put() {
        if (!seen) return
        print name[++n], value("LoadState", "-"), value("ActiveState", "-"), value("SubState", "-"), value("Type", "-"), \
          value("Result", "-"), value("NeedDaemonReload", "no"), value("FragmentPath", "-")
        split("", v)
        seen = 0
      }
      BEGIN { split(ENVIRON["NAMES"], name, /[ \n]+/) }
      /^$/ { put(); next }
      { i = index($0, "="); v[substr($0, 1, i - 1)] = substr($0, i + 1); seen = 1 }
      END { put() }'
}

unit_names() {
  awk -F '\t' '$1 == "unit" { print $2 }' "$1"
}

# plan_units MANIFEST: verb and unit for every unit that needs something, into WORK/verbs.
plan_units() {
  : >"$WORK/verbs"
  _names=$(unit_names "$1")
  [ -n "$_names" ] || return 0
  unit_states "$_names" >"$WORK/units"
  while IFS=$TAB read -r _kind _unit _on _digest _restart; do
    [ "$_kind" = unit ] || continue
    _stamp='' _stamped=''
    [ ! -f "$STAMPS/$_unit" ] || read -r _stamp _stamped <"$STAMPS/$_unit"
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$_unit" "$_on" "$_digest" "$_restart" "$_stamp" "$_stamped"
  done <"$1" | awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { active[$1] = $3; type[$1] = $5; result[$1] = $6; stale[$1] = $7 == "yes"; next }
    {
      # A process has the second digest from its start, and no reload takes that up.
      restart = $4 != $6
      changed = $3 != $5 || restart
      # A oneshot that has done its work rests.
      runs = active[$1] == "active" || active[$1] == "activating" || active[$1] == "reloading" ||
        (!changed && type[$1] == "oneshot" && active[$1] == "inactive" && result[$1] == "success")
      if ($2 == "none") verb = changed ? "stamp" : ""
      # What comes on with another unit must not be restarted under it.
      else if (!runs) verb = $2 == "restart" ? "restart" : "start"
      else if (!changed) verb = ""
      # What is not up yet cannot be told.
      else if ($2 == "reload") verb = restart || active[$1] == "activating" ? "restart" : "reload"
      else verb = $2 == "start" ? "stamp" : $2
      if (verb == "" && stale[$1]) verb = "stamp"
      if (verb != "") print verb, $1, $3 ($4 == "" ? "" : " " $4)
    }' "$WORK/units" - >"$WORK/verbs"
}

# Brings every unit of the release to what its files say. One systemctl for each verb: systemd knows the order.
enter_units() {
  plan_units "$1"
  [ -s "$WORK/verbs" ] || return 0
  mkdir -p -- "$STAMPS" || return 1
  if [ -n "$COMMITS" ] && grep -q "^[^s]\|^start$TAB" "$WORK/verbs"; then commit_txn || return 1; fi
  for _verb in start restart reload; do
    units_by "$_verb" || return 1
  done
  while IFS=$TAB read -r _verb _unit _digest; do
    printf '%s\n' "$_digest" >"$STAMPS/$_unit" || return 1
  done <"$WORK/verbs"
  pause_at restarted
}

units_by() {
  set -- "$1"
  while IFS=$TAB read -r _v _unit _digest; do
    [ "$_v" = "$1" ] || continue
    # Known to be ours to stop, but not what it runs: a crash here means another restart.
    printf '%s\n' unknown >"$STAMPS/$_unit" || return 1
    emit "$1" unit "$_unit"
    [ "$1" = reload ] || UNITS_STARTED="$UNITS_STARTED $_unit"
    set -- "$@" "$_unit"
  done <"$WORK/verbs"
  [ $# -gt 1 ] || return 0
  validate_daemons "$@" || return 1
  pause_at restarting
  _systemctl=$1
  shift
  [ "$_systemctl" != reload ] || _systemctl=reload-or-restart
  # A unit that failed too often would not be started again.
  ! grep -qs "${TAB}failed$TAB" "$WORK/units" || systemctl reset-failed -- "$@" >/dev/null 2>&1
  # shellcheck disable=SC2086 # empty, or one option
  quiet systemctl $NO_BLOCK "$_systemctl" -- "$@" && return 0
  # On the way back: a process that the other release left behind may not be one that can be told.
  [ "$_systemctl$BACKWARDS" = reload-or-restartrevert- ] || return 1
  # shellcheck disable=SC2086 # as above
  quiet systemctl $NO_BLOCK restart -- "$@"
}

# Daemons that would not come back from a bad configuration are asked first.
validate_daemons() {
  for _unit in "$@"; do
    case $_unit in
      nginx.service) ! command -v nginx >/dev/null 2>&1 || quiet nginx -t || return 1 ;;
      ssh.service | sshd.service) ! command -v sshd >/dev/null 2>&1 || { mkdir -p /run/sshd && quiet sshd -t; } || return 1 ;;
    esac
  done
}

# left_units MANIFEST: the units we once started that it does not have, and their states, into WORK/left.
left_units() {
  : >"$WORK/left"
  [ -d "$STAMPS" ] || return 0
  _wanted=$1
  set --
  for _stamp in "$STAMPS"/*; do
    [ ! -f "$_stamp" ] || set -- "$@" "${_stamp##*/}"
  done
  [ $# -gt 0 ] || return 0
  _gone=$(printf '%s\n' "$@" | awk -F '\t' '
    FILENAME == ARGV[1] { if ($1 == "unit") wanted[$2]; next }
    !($0 in wanted)' "$_wanted" -)
  [ -z "$_gone" ] || unit_states "$_gone" >"$WORK/left"
}

# Before their files go: units that leave, and that are ours, are stopped all at once. systemd still knows how each of
# them is stopped and in which order, and what their commands read is still there. What stood at the place of a unit's
# file before, and is about to come back, is left for leave_units.
stop_leaving() {
  left_units "$1"
  set --
  while IFS=$TAB read -r _unit _load _active _sub _type _result _stale _file; do
    case $(readlink -- "$_file" 2>/dev/null) in "$OWN_ETC/current/"*) ;; *) continue ;; esac
    ! FILE=$_file awk -F '\t' '$1 == ENVIRON["FILE"] && $2 != "-" { found = 1 } END { exit !found }' "$WORK/drop" || continue
    emit stopped unit "$_unit"
    set -- "$@" "$_unit"
  done <"$WORK/left"
  [ $# -gt 0 ] || return 0
  # shellcheck disable=SC2086 # empty, or one option
  quiet systemctl $NO_BLOCK stop -- "$@"
  for _unit in "$@"; do forget_unit "$_unit"; done
}

# forget_unit NAME: nothing of a stopped unit stays.
forget_unit() {
  systemctl reset-failed -- "$1" >/dev/null 2>&1
  rm -f -- "/var/lib/systemd/timers/stamp-$1" "$STAMPS/$1"
}

# Units we once started that the release does not have: ours are stopped, foreign ones take up their own files again.
leave_units() {
  left_units "$1"
  while IFS=$TAB read -r _unit _load _active _rest; do
    # A unit whose file is still there is not ours: stopping it could close the way in.
    if [ "$_load" = not-found ] || [ "$_load" = bad ]; then
      emit stopped unit "$_unit"
      # shellcheck disable=SC2086 # empty, or one option
      quiet systemctl $NO_BLOCK stop -- "$_unit"
      forget_unit "$_unit"
    elif [ "$_active" = active ]; then
      emit restart unit "$_unit"
      # shellcheck disable=SC2086 # as above
      quiet systemctl $NO_BLOCK try-restart -- "$_unit"
    fi
    rm -f -- "$STAMPS/$_unit"
  done <"$WORK/left"
}

# Prints the units of a release that failed or never came up.
failed_units() {
  _names=$(unit_names "$1")
  [ -n "$_names" ] || return 0
  unit_states "$_names" | awk -F '\t' '$3 == "failed" || $2 == "not-found" || $2 == "bad-setting" { printf " %s (%s)", $1, $3 == "failed" ? $6 : $2 }'
}

# Stamps for units that systemd started, or will start, from the files that are there now.
stamp_all() {
  rm -rf -- "$STAMPS"
  [ -f "$1" ] && grep -q "^unit$TAB" "$1" || return 0
  mkdir -p -- "$STAMPS" || return 1
  while IFS=$TAB read -r _kind _unit _on _digest _restart; do
    [ "$_kind" != unit ] || printf '%s\n' "$_digest${_restart:+ $_restart}" >"$STAMPS/$_unit"
  done <"$1"
}
