# Checks after the switch.

# probe_all RELEASE: runs every probe; answers 1 and sets WHY if one fails or a unit did.
probe_all() {
  PROBED=$1
  _manifest=$ETC/releases/$1/.gofleet/manifest
  WHY=
  awk -F '\t' -v OFS='\t' '$1 == "probe" { print $2, $3 }' "$_manifest" >"$WORK/probes"
  while IFS=$TAB read -r _name _timeout <&3; do
    probe "$_name" "$_timeout" "$ETC/releases/$1/.gofleet/probes/$_name" || WHY="$WHY; probe $_name failed: $OUTPUT"
  done 3<"$WORK/probes"
  if [ -n "$SYSTEMD" ]; then
    _failed=$(failed_units "$_manifest")
    [ -z "$_failed" ] || WHY="$WHY; units failed:$_failed"
  fi
  WHY=${WHY#; }
  [ -z "$WHY" ]
}

# probe NAME TIMEOUT SCRIPT: without the lock, so that what it leaves behind cannot hold it.
probe() {
  GOFLEET_ROOT=$ROOT timeout -k 2 "$2" sh "$3" </dev/null >"$EVIDENCE/probe-$1" 2>"$EVIDENCE/probe-$1.err" 3<&- 9>&-
  _code=$?
  if [ "$_code" = 0 ]; then
    OUTPUT=$(head -c 16384 "$EVIDENCE/probe-$1" | tr -d '\000')
    emit probe name "$1" :ok true out "$OUTPUT"
    printf '%s\n' "$OUTPUT" >"$EVIDENCE/good-$1"
    return 0
  fi
  OUTPUT=$(tr -d '\000' <"$EVIDENCE/probe-$1" | mask_secrets "$PROBED" | head -c 16384)
  emit probe name "$1" :ok false out "$OUTPUT"
  if [ "$_code" = 124 ] || [ "$_code" = 137 ]; then
    OUTPUT="no answer in $2 s"
  else
    OUTPUT="exit code $_code: $(tr -d '\000' <"$EVIDENCE/probe-$1.err" | mask_secrets "$PROBED" | tail -c 1000)"
  fi
  emit evidence msg "probe $1: $OUTPUT"
  return 1
}

# The outputs of good probes, for `same` and `read`.
keep_probes() {
  for _good in "$EVIDENCE/good-"*; do
    [ ! -f "$_good" ] || mv -f -- "$_good" "$VAR/probes/${_good##*/good-}"
  done
}

# stored_probes MANIFEST: answers 1 if one is missing.
stored_probes() {
  while IFS=$TAB read -r _kind _name _rest; do
    [ "$_kind" = probe ] || continue
    [ -f "$VAR/probes/$_name" ] || return 1
    OUTPUT=
    while IFS= read -r _line || [ -n "$_line" ]; do OUTPUT="$OUTPUT$_line$NL"; done <"$VAR/probes/$_name"
    emit probe name "$_name" :ok true out "${OUTPUT%"$NL"}"
  done <"$1"
}
