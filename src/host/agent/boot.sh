# After a reboot: whatever was not settled goes back before any service starts.

# The service that runs `boot`, and the agent it runs. Only on a whole host with systemd. Not before
# systemd-sysusers.service: local file systems may come after that one, and the cycle would cost systemd a random job.
install_boot() {
  _unit=/etc/systemd/system/gofleet-boot.service
  _wants=/etc/systemd/system/sysinit.target.wants
  if cmp -s "$RUN/agent" "$HOST_LIB/agent" && [ -f "$_unit" ] && [ -L "$_wants/gofleet-boot.service" ]; then return 0; fi
  # The unit's text is part of the agent, so both are of one version. The agent comes last: it is what is compared.
  make_directories "$_wants" || return 1
  write_file "$_unit" <<'UNIT' || return 1
[Unit]
Description=Settle gofleet releases that were being switched
DefaultDependencies=no
RequiresMountsFor=/etc/gofleet /var/lib/gofleet /usr/local/lib/gofleet
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target systemd-tmpfiles-setup.service systemd-sysctl.service apparmor.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/local/lib/gofleet/agent boot /usr/local/lib/gofleet

[Install]
WantedBy=sysinit.target
UNIT
  ln -sfn ../gofleet-boot.service "$_wants/gofleet-boot.service" && write_file "$HOST_LIB/agent" <"$RUN/agent"
}

verb_boot() {
  ECHO=
  ROOT=''
  set_paths
  NO_BLOCK=--no-block
  take_lock 60
  sweep_packages
  for _directory in "$HOST_ETC"/*/; do
    [ -d "$_directory" ] || continue
    _directory=${_directory%/}
    # One component that cannot be settled must not keep the others from it.
    (boot_component "${_directory##*/}")
  done
  exit 0
}

boot_component() {
  set_component "$1"
  if [ -n "$TXN_PHASE" ]; then
    TX=$TXN_TX RELEASE=$TXN_TO
    set_work "$VAR/runs/$TX"
    LOG=$VAR/runs/$TX/log
    [ "$TXN_PHASE" != committed ] || boot_committed
  fi
  if [ -n "$TXN_PHASE" ] && [ "$TXN_PHASE" != committed ]; then
    _away=$TXN_TO _back=$TXN_FROM
    CAUSE=${TXN_CAUSE:-the host was restarted in phase $TXN_PHASE}
    emit reverting msg "$CAUSE"
    boot_back
    current_release
  fi
  [ ! -d "$ETC" ] || stamp_all "$ETC/releases/$CURRENT/.gofleet/manifest"
  resume_watch
}

# No probes: nothing is up yet. systemd read the units before this, so it reads them again.
boot_back() {
  : >"$WORK/bad"
  _manifest=/dev/null
  [ -z "$_back" ] || _manifest=$ETC/releases/$_back/.gofleet/manifest
  [ -z "$_back" ] || wrong_sums "$_manifest" "$ETC/releases/$_back" copies >"$WORK/bad"
  make_plan "$_manifest" "$_back" "$WORK" && : >"$WORK/handover" && switch_to "$_back" || return 1
  # Nothing of either release runs yet; what systemd queued from the wrong files is asked for again.
  stamp_all "$ETC/releases/$_away/.gofleet/manifest"
  activate "$_back" force
  record_decision "$_away" "$_back" "$CAUSE"
  (
    read_request "$VAR/runs/$TX"
    audit boot reverted "$_away" "$_back" "$CAUSE"
  )
  rm -f -- "$ETC/txn"
  sync -f "$ETC" 2>/dev/null
  [ -n "$_back" ] || take_off
  return 0
}
