# Certificates this host trusts: what a release has below LOCAL_TRUST becomes part of /etc/ssl/certs, and leaves it again.

LOCAL_TRUST=/usr/local/share/ca-certificates/

# trust_paths MANIFEST: its records of certificates.
trust_paths() {
  awk -F '\t' -v below="$LOCAL_TRUST" '
    $1 ~ /^(file|copy|symlink|link)$/ && index($2, below) == 1 && $2 ~ /\.crt$/' "$1"
}

# Ends with 14 where a certificate could not be made trusted.
check_trust() {
  [ -z "$ROOT" ] && ! command -v update-ca-certificates >/dev/null 2>&1 || return 0
  _path=$(trust_paths "$MANIFEST" | awk -F '\t' '{ print $2; exit }')
  [ -z "$_path" ] ||
    fail 14 "missing: update-ca-certificates, for $_path (install ca-certificates, or name it in the plan's packages)"
}

# mark_trust RELEASE: remembers that what is trusted is about to change, before it does; after the plan in WORK.
mark_trust() {
  [ -z "$ROOT" ] && [ ! -e "$VAR/trust" ] || return 0
  if ! grep -qsF -- "$LOCAL_TRUST" "$WORK/make" "$WORK/drop"; then
    # A link through `current` stays as it is while its text changes.
    _was=/dev/null _is=/dev/null
    [ ! -f "$ETC/releases/$CURRENT/.gofleet/manifest" ] || _was=$ETC/releases/$CURRENT/.gofleet/manifest
    [ -z "$1" ] || _is=$ETC/releases/$1/.gofleet/manifest
    [ "$(trust_paths "$_was")" != "$(trust_paths "$_is")" ] || return 0
  fi
  write_text "$VAR/trust" "$1" sync
}

# Also on the way back and when the component goes; after a crash the mark is still there.
refresh_trust() {
  [ -e "$VAR/trust" ] || return 0
  if command -v update-ca-certificates >/dev/null 2>&1; then
    quiet update-ca-certificates || return 1
  fi
  rm -f -- "$VAR/trust"
}
