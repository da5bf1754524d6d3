# One operation at a time changes a host.

# take_lock SECONDS: waits that long, then ends with 16. The lock goes with the process.
take_lock() {
  mkdir -p -- "$HOST_RUN" || fail 12 "$HOST_RUN cannot be made"
  while :; do
    exec 9>>"$HOST_RUN/lock" || fail 12 "$HOST_RUN/lock cannot be opened"
    flock -w "$1" 9 || fail 16 "another operation holds $HOST_RUN/lock; waited $1 s"
    # The remover of the last component takes the file away; who waited on it must not take that for the lock.
    _inodes=$(stat -L -c %i "/proc/self/fd/9" "$HOST_RUN/lock" 2>/dev/null)
    [ "${_inodes%"$NL"*}" != "${_inodes#*"$NL"}" ] || break
  done
}
