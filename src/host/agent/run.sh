# The verb of an apply: checks that write nothing, staging, then the switch in a process of its own.

verb_run() {
  set_work "$UPLOAD"
  LOG=$UPLOAD/log
  FROM='' TO=$RELEASE
  facts
  preflight
  check_machine
  set_component "$COMPONENT"
  FROM=$CURRENT
  MANIFEST=$UPLOAD/release/.gofleet/manifest
  # Without a release in the upload: back to one that is still here.
  [ -d "$UPLOAD/release" ] || MANIFEST=$ETC/releases/$RELEASE/.gofleet/manifest
  check_manifest "$MANIFEST"
  check_owner
  : >"$WORK/bad"
  [ ! -d "$ETC/releases/$RELEASE" ] || wrong_sums "$MANIFEST" "$ETC/releases/$RELEASE" copies >"$WORK/bad"
  make_plan "$MANIFEST" "$RELEASE" "$WORK" || fail 12 "$WORK cannot be written: no space"
  check_paths "$MANIFEST" "$WORK"
  tell_decision
  # Something is wrong inside the release itself: only then is it staged again.
  DAMAGED=
  ! grep -qsF -- "$ETC/releases/$RELEASE/" "$WORK/bad" && release_intact || DAMAGED=1
  [ -n "$STAGEONLY" ] || ! nothing_to_do || finish_same
  check_expected
  check_ports
  [ -n "$OWNER_INSTANCE" ] || FIRST=1
  make_component || fail 12 "$VAR cannot be written: no space or read-only"
  open_run
  pause_at stage
  install_packages
  check_trust
  stage_secrets
  stage_downloads
  stage_release
  stage_overlays "$ETC/releases/$RELEASE" || fail 12 "$ETC/releases/$RELEASE cannot be written: no space or read-only"
  pause_at staged
  run_checks
  if [ -n "$STAGEONLY" ]; then
    FIRST=
    finish 0 staged "release $RELEASE is staged"
  fi
  _seen=$((SAID + 1))
  begin_verify
  # What was here already and is asked for without being sent comes back; its own watch was when it came.
  [ -d "$UPLOAD/release" ] && [ -z "$SKIPCHECKS" ] || : >"$RUN/back"
  launch apply
  FIRST=
  follow_run "$_seen"
}

# Modes and links inside the release, which sums do not show.
release_intact() {
  [ -d "$ETC/releases/$RELEASE" ] || return 1
  [ ! -s "$WORK/drift" ] || ! grep -q "in the release" "$WORK/drift"
}

# Current, settled, ours, looked after, every path as it should be, every unit as its files say: nothing is written at all.
nothing_to_do() {
  [ "$CURRENT" = "$RELEASE" ] && [ -z "$TXN_PHASE" ] && [ "$OWNER_INSTANCE" = "$INSTANCE" ] &&
    [ "$OWNER_URN" = "$URN" ] && [ -z "$DAMAGED" ] && [ ! -e "$VAR/owed" ] && [ ! -s "$WORK/drift" ] && [ ! -s "$WORK/drop" ] && [ ! -s "$WORK/handover" ] || return 1
  if [ -n "$SYSTEMD" ]; then
    plan_units "$MANIFEST"
    [ ! -s "$WORK/verbs" ] || return 1
  fi
  right_packages "$MANIFEST" && right_downloads && right_supplies
}

right_downloads() {
  has "$MANIFEST" download || return 0
  wanted_downloads "$MANIFEST" >"$WORK/downloads"
  while IFS=$TAB read -r _name _arch _format _checksum _overlay _managed _recipe <&4; do
    download_right "$_name" "$_format" "$_checksum" "$_overlay" "$_managed" "$_recipe" || return 1
  done 4<"$WORK/downloads"
  wrong_overlays "$ETC/releases/$RELEASE" >"$WORK/overlays"
  [ ! -s "$WORK/overlays" ]
}

# Secrets, and the probe outputs that stand for running the probes again.
right_supplies() {
  while IFS=$TAB read -r _kind _name _rest; do
    case $_kind in
      probe) [ -f "$VAR/probes/$_name" ] || return 1 ;;
      secret) [ -f "$VAR/secrets/$_rest" ] || return 1 ;;
    esac
  done <"$MANIFEST"
}

finish_same() {
  stored_probes "$MANIFEST"
  # It was told just now, and this release is what the operator wants.
  rm -f -- "$VAR/decision"
  finish 0 same "release $RELEASE was already on"
}
