# Taking a component off: what it displaced comes back, what it made goes.

verb_remove() {
  # A cut connection must not stop this halfway; nobody needs the output to know what is done.
  trap '' HUP PIPE
  set_component "$COMPONENT"
  FROM=$CURRENT TO=
  set_work "$UPLOAD"
  RELEASE=
  facts
  check_machine
  if [ ! -d "$ETC" ] && [ ! -d "$VAR" ] && [ ! -d "$LIB" ]; then
    finish 0 absent "no component $COMPONENT on this host"
  fi
  foreign_owner
  take_lock "$LOCKWAIT"
  set_component "$COMPONENT"
  foreign_owner
  FROM=$CURRENT
  [ -z "$BLAMED" ] || evidence_left "$VAR/runs/$TX/left" ''
  disarm
  disarm_watch
  sweep_uploads
  sweep_packages
  sweep_copies
  : >"$WORK/bad" && : >"$WORK/handover"
  make_plan /dev/null none "$WORK" || fail 12 "$WORK cannot be written: no space"
  pause_at removing
  [ ! -d "$ETC" ] || [ ! -d "$VAR" ] || switch_to '' || fail 12 "$ETC could not be taken off: read-only or I/O error"
  activate '' force || fail 12 "units could not be stopped: $OUTPUT"
  pause_at removed
  remove_data
  _release=$FROM
  take_off
  packages_kept
  forget_component
  take_off_host
  CURRENT='' OWNER_INSTANCE=''
  finish 0 removed "component $COMPONENT is off${_release:+; it was on $_release}${KEPT:+; packages that came with it stay: $KEPT}"
}

# All that is known of the component, but for the evidence that this removal has gathered.
forget_component() {
  if [ -d "$VAR/runs/$TX/left" ]; then
    find "$VAR" -mindepth 1 -maxdepth 1 ! -name runs -exec rm -rf -- {} +
  else
    rm -rf -- "$VAR"
  fi
}

# Another instance owns the directory by now: a resource that was renamed, or another stack's.
foreign_owner() {
  [ -n "$OWNER_INSTANCE" ] && [ "$OWNER_INSTANCE" != "$INSTANCE" ] || return 0
  finish 0 notours "$OWN_ETC belongs to $OWNER_URN of stack $OWNER_STACK by now"
}

# The component's directories, but for the log of its runs, and for what says which directories came with it: those of a
# first release that failed stay, and go with the component that a later try makes of them.
take_off() {
  rm -rf -- "$ETC" "$LIB" "$STAMPS" "$VAR/displaced" "$VAR/secrets" "$VAR/downloads" "$VAR/probes" \
    "$VAR/releases" "$VAR/watching"
  rm -f -- "$VAR/ledger" "$VAR/moved" "$VAR/decision" "$VAR/sysctl" "$VAR/timer" "$VAR/trust" "$VAR/findings" "$VAR/tripped"
  OWNER_INSTANCE=''
}

# Directories that came to be because of the component, unless they are to be kept.
remove_data() {
  [ -s "$VAR/data" ] || return 0
  sort -u "$VAR/data" | while IFS= read -r _dir; do
    if kept_data "$_dir"; then
      emit out msg "kept: $_dir"
    else
      rm -rf -- "$_dir"
    fi
  done
}

# Is a directory below, or above, one that is kept?
kept_data() {
  _list=$KEEPDATA,
  while [ -n "$_list" ]; do
    _keep=${_list%%,*}
    _list=${_list#*,}
    [ -n "$_keep" ] || continue
    case $1/ in "$_keep"/*) return 0 ;; esac
    case $_keep/ in "$1"/*) return 0 ;; esac
  done
  return 1
}

# With the last component goes everything the agent put on the host for itself.
take_off_host() {
  rmdir -- "$HOST_ETC" 2>/dev/null || [ ! -d "$HOST_ETC" ] || return 0
  for _left in "$HOST_VAR"/*/; do
    [ ! -d "$_left" ] || return 0
  done
  if [ -z "$ROOT" ] && [ -f /etc/systemd/system/gofleet-boot.service ]; then
    # After a boot it counts as active for as long as nobody stops it. Not by itself, while it settles a release.
    [ -n "$NO_BLOCK" ] || systemctl stop gofleet-boot.service >/dev/null 2>&1
    rm -f -- /etc/systemd/system/sysinit.target.wants/gofleet-boot.service /etc/systemd/system/gofleet-boot.service
    [ -z "$SYSTEMD" ] || quiet systemctl daemon-reload
    systemctl reset-failed gofleet-boot.service >/dev/null 2>&1
  fi
  [ -n "$ROOT" ] || audit_off
  rm -f -- "$HOST_LIB/agent"
  sort -ru "$HOST_VAR/created" >"$WORK/created" 2>/dev/null
  rm -f -- "$HOST_VAR/created"
  rm -f -- "$HOST_RUN/lock" "$HOST_RUN/packages.lock"
  cd / || return 0
  set --
  while IFS= read -r _dir; do
    [ "$_dir" = "$HOST_RUN" ] || set -- "$@" "$_dir"
  done <"$WORK/created"
  rmdir -- "$HOST_LIB" "$HOST_VAR" "$@" 2>/dev/null
  LAST=1
}

# A first release that never got as far as the switch leaves nothing; but what a run that was cut has installed is known
# to the next one.
forget_first() {
  [ -z "$CUT" ] || [ ! -s "$VAR/packages" ] || return 0
  # The operator came back while this run went on without a connection: the other one has taken the transaction over.
  [ ! -f "$RUN/pid" ] || { read -r _pid <"$RUN/pid" && [ "$_pid" = "$$" ]; } || return 0
  for _run in "$VAR/runs"/*/; do
    [ "$_run" = "$RUN/" ] || [ ! -d "$_run" ] || return 0
  done
  rm -rf -- "$ETC" "$VAR" "$LIB"
  take_off_host
}

# The end of a compiler or a check that was just begun, after BEFORE_CHILD was set; sets _code.
await_child() {
  CHILD=$!
  wait "$CHILD"
  _code=$?
  CHILD='' BEFORE_CHILD=''
}

# Where a signal ends the run: all of the child's group, which `timeout` leads. Of one that has only just begun the number
# is not in CHILD yet.
stop_child() {
  [ -n "$CHILD" ] || [ -z "$BEFORE_CHILD" ] || [ "${!:-none}" = "$BEFORE_CHILD" ] || CHILD=$!
  [ -z "$CHILD" ] || { kill -TERM "-$CHILD" || kill "$CHILD"; } 2>/dev/null
}

# The end of every verb that has an upload.
leave() {
  stop_child
  # What a compiler writes while it ends is gone at the second try.
  [ ! -e "$PART" ] || rm -rf -- "$PART" 2>/dev/null || { sleep 0.3; rm -rf -- "$PART"; }
  [ -z "$FIRST" ] || forget_first
  rm -rf -- "$UPLOAD"
  [ -z "$LAST" ] || rmdir -- "$HOST_RUN" "$ROOT/run" 2>/dev/null
}
