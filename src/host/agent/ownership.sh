# Who owns the component's directory and the paths it wants. Refusals name both parties (rc 18).

# The component's own directory. Who has its instance id has it: the state may have moved to another stack.
check_owner() {
  [ -n "$OWNER_STACK" ] && [ "$OWNER_STACK" != "$STACK" ] && [ "$OWNER_INSTANCE" != "$INSTANCE" ] &&
    [ "$ADOPT" != take ] || return 0
  fail 18 "$OWN_ETC belongs to stack $OWNER_STACK ($OWNER_URN); stack $STACK ($URN) wants it. \
Remove it there, choose another directory name, or set adopt: \"take\""
}

# check_paths MANIFEST WORK: what other components own and what stands in the way; after make_plan.
# WORK/handover gets the paths that another component of the same stack gives up: path, component.
check_paths() {
  : >"$2/handover"
  others_paths "$1" "$2" "$HOST_VAR"/*/ledger
  while IFS=$TAB read -r _path _id _type; do
    [ -e "$VAR/displaced/$_id" ] || [ -L "$VAR/displaced/$_id" ] || check_displace "$_path" "$_type" "$2"
  done <"$2/displace"
  [ "$ADOPT" != refuse ] || [ -n "$ROOT" ] || check_foreign "$1" "$2"
}

# others_paths MANIFEST WORK LEDGER…
others_paths() {
  _manifest=$1 _work=$2
  shift 2
  [ -f "$1" ] && [ "$*" != "$VAR/ledger" ] || return 0
  awk -F '\t' -v OFS='\t' -v own="$VAR/ledger" '
    FNR == NR { if ($1 ~ /^(file|copy|symlink|link)$/) wanted[$2]; next }
    FILENAME != own && ($1 in wanted) {
      n = split(FILENAME, part, "/")
      print $1, part[n - 1]
    }' "$_manifest" "$@" >"$_work/handover"
  while IFS=$TAB read -r _path _other; do
    read_owner "$HOST_ETC/$_other"
    _stack=$OWNER_STACK _urn=$OWNER_URN
    read_owner
    [ -z "$_stack" ] || [ "$_stack" = "$STACK" ] ||
      fail 18 "$_path belongs to component $_other of stack $_stack ($_urn); \
component $COMPONENT of stack $STACK ($URN) wants it. Remove it from one of them"
  done <"$_work/handover"
}

# check_displace PATH TYPE WORK: may this be set aside?
check_displace() {
  ! grep -qF -- "$1$TAB" "$3/handover" || return 0
  if [ "$2" = d ]; then
    [ "$REPLACES" = directory ] ||
      fail 18 "$1 is a directory that gofleet did not make; component $COMPONENT of stack $STACK ($URN) wants a file there. \
Move it away, or set replaces: \"directory\""
    return 0
  fi
  [ "$ADOPT" = refuse ] || return 0
  case $1 in
    /etc/systemd/system/* | /etc/systemd/network/*)
      fail 18 "$1 exists and belongs to this host; component $COMPONENT of stack $STACK ($URN) wants it. \
Move it away, or set adopt: \"displace\" to set it aside until the component is removed"
      ;;
  esac
}

# Units of the distribution that a new unit file would hide, and users that exist otherwise than asked for.
check_foreign() {
  while IFS=$TAB read -r _kind _path _rest; do
    case $_path in
      /etc/systemd/system/*/*) continue ;;
      /etc/systemd/system/*) ;;
      /etc/sysusers.d/*)
        check_users "$ETC/releases/$RELEASE$_path" "$UPLOAD/release$_path"
        continue
        ;;
      *) continue ;;
    esac
    [ "$_kind" != link ] || continue
    for _vendor in /usr/lib/systemd/system /lib/systemd/system; do
      [ ! -e "$_vendor/${_path##*/}" ] ||
        fail 18 "$_path would hide $_vendor/${_path##*/} of this host; component $COMPONENT of stack $STACK ($URN) \
wants it. Choose another unit name, or set adopt: \"displace\""
    done
  done <"$1"
}

# A user that exists with another home or shell than the line asks for is somebody else's.
check_users() {
  for _conf in "$@"; do
    [ -f "$_conf" ] || continue
    _foreign=$(awk '
      FNR == NR { split($0, f, ":"); home[f[1]] = f[6]; shell[f[1]] = f[7]; next }
      $1 !~ /^u/ || !($2 in home) { next }
      {
        line = $0
        sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]*/, "", line)
        if (!sub(/^"[^"]*"[ \t]*/, "", line)) sub(/^[^ \t]+[ \t]*/, "", line)
        n = split(line, f, /[ \t]+/)
        if (n >= 1 && f[1] != "" && f[1] != "-" && f[1] != home[$2]) { print $2 " with home " home[$2]; exit }
        if (n >= 2 && f[2] != "" && f[2] != "-" && f[2] != shell[$2]) { print $2 " with shell " shell[$2]; exit }
      }' /etc/passwd "$_conf")
    [ -z "$_foreign" ] ||
      fail 18 "this host already has user $_foreign; component $COMPONENT of stack $STACK ($URN) asks for another one. \
Choose another name, or set adopt: \"displace\" to use it as it is"
    return 0
  done
}

# hand_over WORK: takes the paths in WORK/handover out of the other components' ledgers, with what they displaced.
# Our own copy of a displaced original comes first, so that a crash never loses it.
hand_over() {
  [ -s "$1/handover" ] || return 0
  while IFS=$TAB read -r _path _other; do
    _theirs=$HOST_VAR/$_other
    _id=$(awk -F '\t' -v path="$_path" '$1 == path { print $2 }' "$_theirs/ledger")
    if [ "$_id" != - ] && { [ -e "$_theirs/displaced/$_id" ] || [ -L "$_theirs/displaced/$_id" ]; }; then
      save_displaced "$_theirs/displaced/$_id" "$_id" || return 1
    else
      _id=-
    fi
    awk -F '\t' -v OFS='\t' -v path="$_path" -v id="$_id" '$1 == path { $2 = id } { print }' "$1/own" >"$1/own.new" &&
      mv -f -- "$1/own.new" "$1/own" &&
      awk -F '\t' -v path="$_path" '$1 != path' "$1/displace" >"$1/own.new" &&
      mv -f -- "$1/own.new" "$1/displace" || return 1
    printf '%s\t%s\n' "$_path" "$_other" >>"$1/handed"
  done <"$1/handover"
}

# finish_handover WORK: after our ledger has the paths.
finish_handover() {
  [ -s "$1/handed" ] || return 0
  while IFS=$TAB read -r _path _other; do
    awk -F '\t' -v path="$_path" '$1 != path' "$HOST_VAR/$_other/ledger" >"$1/theirs" &&
      write_file "$HOST_VAR/$_other/ledger" <"$1/theirs" || return 1
  done <"$1/handed"
  rm -f -- "$1/handed"
}

write_owner() {
  [ "$OWNER_STACK:$OWNER_URN:$OWNER_INSTANCE" != "$1:$2:$3" ] || return 0
  write_text "$ETC/owner" "stack $1${NL}urn $2${NL}instance $3" sync && read_owner
}
