# Ports the units want: refused, with the name of who has them, before anything is switched.

# Ends with 14 if a port of the manifest is held by a process of no unit of this component.
check_ports() {
  [ -z "$ROOT" ] && has "$MANIFEST" listen || return 0
  if ! command -v ss >/dev/null 2>&1; then
    emit unchecked msg "ports are not checked: there is no ss (install iproute2)"
    return 0
  fi
  ss -Hltnp 2>/dev/null </dev/null 9>&- | taken_ports >"$WORK/taken"
  while IFS=$TAB read -r _wanted _unit _at _process _pids <&3; do
    holder_of "$_at" "$_pids"
    our_unit "$HOLDER" "$_unit" || our_unit "$ACTIVATES" "$_unit" || port_taken
  done 3<"$WORK/taken"
}

# taken_ports: for each listening socket (lines of ss) that stands in the way of a record: wanted address and port, unit,
# the socket's own, name of the process, all its pids.
taken_ports() {
  awk -v OFS='\t' '
    function overlap(want, have) {
      if (want == have || have == "*") return 1
      if (want ~ /:/) return have ~ /:/ && (want == "::" || have == "::")
      return have !~ /:/ && (want == "0.0.0.0" || have == "0.0.0.0")
    }
    FILENAME == ARGV[1] {
      if (split($0, f, "\t") == 4 && f[1] == "listen") { n++; address[n] = tolower(f[2]); port[n] = f[3]; unit[n] = f[4] }
      next
    }
    {
      at = $4
      have = tolower(at)
      sub(/:[^:]*$/, "", have)
      gsub(/[][]|%.*/, "", have)
      held = at
      sub(/.*:/, "", held)
      name = "an unknown process"
      if (match($0, /\(\("[^"]*"/)) name = substr($0, RSTART + 3, RLENGTH - 4)
      pids = ""
      rest = $0
      while (match(rest, /pid=[0-9]+/)) {
        pids = pids " " substr(rest, RSTART + 4, RLENGTH - 4)
        rest = substr(rest, RSTART + RLENGTH)
      }
      for (i = 1; i <= n; i++)
        if (port[i] == held && overlap(address[i], have)) print address[i] ":" port[i], unit[i], at, name, pids
    }' "$MANIFEST" -
}

# holder_of ADDRESS PIDS: sets HOLDER to the unit of the first process, and ACTIVATES to the service if it is a socket unit.
holder_of() {
  HOLDER='' ACTIVATES='' PID=
  for PID in $2; do
    [ "$PID" != 1 ] || continue
    HOLDER=$(awk -F / '{ for (i = NF; i > 1; i--) if ($i ~ /\.(service|scope)$/) { print $i; exit } }' "/proc/$PID/cgroup" 2>/dev/null)
    return 0
  done
  # systemd itself holds the sockets of socket units.
  [ -n "$PID" ] && [ -n "$SYSTEMD" ] || return 0
  set -- "${1##*:}"
  read -r HOLDER ACTIVATES <<SOCKET
$(systemctl list-sockets --all --full --no-legend --no-pager 2>/dev/null | awk -v port="$1" '$1 ~ ":" port "$" { print $2, $3; exit }')
SOCKET
}

# our_unit UNIT WANTED: the one that shall have the port, or one that this component runs now and gives up or restarts.
our_unit() {
  [ -n "$1" ] || return 1
  [ "$1" = "$2" ] || [ -f "$STAMPS/$1" ]
}

port_taken() {
  _do='end that process'
  [ -z "$HOLDER" ] || _do="stop it (systemctl disable --now $HOLDER)"
  fail 14 "port $_wanted, for $_unit of $COMPONENT, is held at $_at by $_process${PID:+ (pid $PID)}${HOLDER:+ of $HOLDER}; \
$_do, or choose another address or port"
}
