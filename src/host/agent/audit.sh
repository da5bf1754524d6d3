# Who changed what on this host, and what came of it: one event for each change, of an operator's or of its own.

# audited RC STATUS MESSAGE: the event of this verb's result, if it is one that changes a host or was meant to.
audited() {
  case $VERB:$2 in
    run:same | run:staged | *:unconfirmed) return 0 ;;
    apply:* | run:* | exited:*)
      _action=apply
      [ -z "$SKIPCHECKS" ] || _action=rollback
      [ "$VERB" != exited ] || [ ! -f "$RUN/group" ] || _action=watch
      ;;
    back:*) _action=watch ;;
    confirm:* | revert:* | remove:*) _action=$VERB ;;
    *) return 0 ;;
  esac
  audit "$_action" "$2" "$FROM" "$TO" "$3"
}

# audit ACTION OUTCOME FROM TO CAUSE: to every sink of the request. Nothing of it can fail the operation.
audit() {
  [ -n "$AUDIT" ] && [ "$AUDIT" != off ] || return 0
  read -r _uuid </proc/sys/kernel/random/uuid
  _event="{\"id\":\"$_uuid\",\"time\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"action\":\"$1\",\"outcome\":\"$2\""
  for _pair in "who:$OPERATOR" "stack:$STACK" "commit:$COMMIT" "component:$COMPONENT" "tx:$TX" "from:$3" "to:$4" \
    "cause:$(printf '%s' "$5" | head -c 1000)"; do
    json_text "${_pair#*:}"
    _event="$_event,\"${_pair%%:*}\":$JSON"
  done
  if [ -n "$REASON" ]; then
    json_text "$REASON"
    _event="$_event,\"reason\":$JSON"
  fi
  _event="$_event}"
  for _sink in $AUDIT; do
    case $_sink in
      journal) audit_journal ;;
      file:*) audit_file "$ROOT${_sink#file:}" ;;
      url:*) audit_post "${_sink#url:}" ;;
      syslog:*) [ -n "$ROOT" ] || logger --size 8KiB -t gofleet-audit -p "${_sink#syslog:}.notice" -- "$_event" >/dev/null 2>&1 ;;
    esac || printf 'audit: %s could not be told\n' "${_sink%%:*}" >&2
  done
}

# A journal of its own. No tool before systemd 256 writes into a namespace (systemd-cat --namespace), and its socket is
# there only while a unit needs it: so a short unit in that namespace says it.
audit_journal() {
  [ -n "$SYSTEMD" ] || return 0
  _file=$HOST_RUN/audit.$_uuid
  [ -z "$NO_BLOCK" ] || _file=$VAR/runs/$TX/audit
  printf '%s\n' "$_event" >"$_file" || return 1
  if [ -n "$NO_BLOCK" ]; then set -- --no-block; else set -- --wait; fi
  timeout 10 systemd-run --quiet --collect "$@" --unit="gofleet-audit-$_uuid" --property=Type=oneshot \
    --property=LogNamespace=gofleet --property=SyslogIdentifier=gofleet-audit --property=LogLevelMax=info \
    /bin/cat "$_file" >/dev/null 2>&1 </dev/null 9>&-
  _code=$?
  [ -n "$NO_BLOCK" ] || rm -f -- "$_file"
  return "$_code"
}

# One event a line. Where logrotate is, it is told of the file, unless somebody else did.
audit_file() {
  mkdir -p -- "${1%/*}" || return 1
  [ -e "$1" ] || { : >"$1" && chmod 0640 -- "$1"; } || return 1
  printf '%s\n' "$_event" >>"$1" || return 1
  [ -z "$ROOT$LAST" ] && [ -d /etc/logrotate.d ] && [ ! -e /etc/logrotate.d/gofleet-audit ] || return 0
  printf '%s\n' '# made by gofleet' "$1 {" '  weekly' '  rotate 52' '  missingok' '  notifempty' '  compress' \
    '  create 0640 root root' '}' | write_file /etc/logrotate.d/gofleet-audit
}

audit_post() {
  printf '%s\n' "$_event" | curl -q --silent --fail --output /dev/null --max-time 3 --request POST \
    --header 'Content-Type: application/json' --data-binary @- --url "$1" >/dev/null 2>&1 9>&-
}

# With the last component goes what was told to logrotate; the events stay.
audit_off() {
  ! grep -qsxF '# made by gofleet' /etc/logrotate.d/gofleet-audit || rm -f -- /etc/logrotate.d/gofleet-audit
}
