# The host's truth, and what differs from the release that is current.

# `state`: which release is on, and whether that is about to change. Cheap enough to be asked again and again.
verb_state() {
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  check_machine
  read_watch
  # While evidence is gathered there is no transaction yet.
  [ -n "$TXN_PHASE" ] || ! run_alive "$VAR/runs/$WATCH_TX-watch" || TXN_PHASE=leaving
  tell_state
  finish 0 ok "read"
}

# tell_state: the release, and the decision that led to it where that was the host's own.
tell_state() {
  read_decision "$VAR/decision"
  emit state stack "$OWNER_STACK" urn "$OWNER_URN" instance "$OWNER_INSTANCE" release "$CURRENT" txn "$TXN_PHASE" \
    decision "${DECISION_TIME:+$DECISION_TIME: from $DECISION_FROM to $DECISION_TO: $DECISION_CAUSE}"
  tell_decision
}

verb_read() {
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  set_work "$UPLOAD"
  facts
  if [ ! -d "$ETC" ] || [ -z "$CURRENT" ]; then
    emit state stack "$OWNER_STACK" urn "$OWNER_URN" instance "$OWNER_INSTANCE" release "" txn "$TXN_PHASE" decision ""
    finish 0 absent "no component $COMPONENT on this host"
  fi
  check_machine
  tell_state
  read_findings
  MANIFEST=$ETC/releases/$CURRENT/.gofleet/manifest
  [ -f "$MANIFEST" ] || fail 11 "$MANIFEST is gone; run the release again"
  wrong_sums "$MANIFEST" "$ETC/releases/$CURRENT" copies >"$WORK/bad"
  make_plan "$MANIFEST" "$CURRENT" "$WORK" || fail 12 "$WORK cannot be written: no space"
  read_drift
  read_extras
  read_packages
  read_secrets
  read_units
  read_downloads
  [ "$FILES" != all ] || read_files
  stored_probes "$MANIFEST"
  finish 0 ok "read"
}

read_drift() {
  while IFS=$TAB read -r _kind _path _msg; do
    _at=$ROOT$_path
    if [ "$_kind" = modified ] || { [ "$_kind" = replaced ] && [ -f "$_at" ] && [ ! -L "$_at" ]; }; then
      case $_msg in 'in the release') _at=$ETC/releases/$CURRENT$_path ;; esac
      if [ "$(stat -L -c %s -- "$_at" 2>/dev/null || echo 65537)" -le 65536 ]; then
        emit drift path "$_path" kind "$_kind" msg "$_msg" text "$(base64 -w0 <"$_at")"
        continue
      fi
    fi
    emit drift path "$_path" kind "$_kind" msg "$_msg"
  done <"$WORK/drift"
}

# Files inside the release that it does not name, and drop-ins that somebody added to its units.
read_extras() {
  _tree=$ETC/releases/$CURRENT
  extra_files "$_tree" | while IFS= read -r _path; do emit drift path "$_path" kind added msg "in the release"; done
  [ -n "$SYSTEMD" ] || return 0
  for _unit in $(unit_names "$MANIFEST"); do
    for _dropin in "/etc/systemd/system/$_unit.d"/*.conf; do
      [ -e "$_dropin" ] || continue
      grep -q -- "$TAB$_dropin$TAB" "$MANIFEST" || emit drift path "$_dropin" kind added msg "changes $_unit"
    done
  done
}

read_packages() {
  right_packages "$MANIFEST" && return 0
  for _package in $MISSING; do emit drift path "package $_package" kind missing msg ""; done
}

# Whether a secret is there and closed; its bytes cannot be compared without the key, which the host does not have.
read_secrets() {
  while IFS=$TAB read -r _kind _name _hmac; do
    [ "$_kind" = secret ] || continue
    _at=/var/lib/gofleet/$COMPONENT/secrets/$_hmac
    if [ ! -f "$ROOT$_at" ]; then
      emit drift path "$_at" kind missing msg "secret $_name"
    elif [ "$(stat -c %a -- "$ROOT$_at")" != 400 ]; then
      emit drift path "$_at" kind mode msg "secret $_name: is $(stat -c %a -- "$ROOT$_at"), wanted 0400"
    fi
  done <"$MANIFEST"
}

read_units() {
  [ -n "$SYSTEMD" ] || return 0
  _names=$(unit_names "$MANIFEST")
  [ -n "$_names" ] || return 0
  unit_states "$_names" | while IFS=$TAB read -r _unit _load _active _sub _type _result _reload _fragment; do
    emit unit unit "$_unit" active "$_active" sub "$_sub" reload "$_reload"
  done
}

read_downloads() {
  wanted_downloads "$MANIFEST" >"$WORK/downloads"
  while IFS=$TAB read -r _name _arch _format _checksum _overlay _managed _recipe <&4; do
    if download_right "$_name" "$_format" "$_checksum" "$_overlay" "$_managed" "$_recipe"; then
      emit download name "$_name" msg ok
      continue
    fi
    emit download name "$_name" msg drift
    if [ ! -d "$LIB/$_name" ]; then
      emit drift path "/usr/local/lib/gofleet/$COMPONENT/$_name" kind missing msg "download $_name"
    elif [ ! -s "$WORK/changed" ]; then
      emit drift path "/usr/local/lib/gofleet/$COMPONENT/$_name" kind replaced msg "download $_name was never verified here"
    else
      # A tree that is replaced as a whole would say its every file.
      head -n 100 "$WORK/changed" | while IFS=$TAB read -r _kind _path; do
        emit drift path "/usr/local/lib/gofleet/$COMPONENT/$_name/$_path" kind "$_kind" msg "download $_name"
      done
    fi
  done 4<"$WORK/downloads"
  wrong_overlays "$ETC/releases/$CURRENT" | while IFS=$TAB read -r _name _overlay _managed; do
    emit drift path "/usr/local/lib/gofleet/$COMPONENT/$_name/$_overlay" kind modified msg "no longer led by $_managed"
  done
}

read_files() {
  while IFS=$TAB read -r _kind _path _rest; do
    case $_kind in file | copy) ;; *) continue ;; esac
    [ -f "$ETC/releases/$CURRENT$_path" ] || continue
    emit file path "$_path" text "$(base64 -w0 <"$ETC/releases/$CURRENT$_path")"
  done <"$MANIFEST"
}
