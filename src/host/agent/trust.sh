# Certificates this host trusts: what a release has below LOCAL_TRUST becomes part of /etc/ssl/certs, and leaves it again.

LOCAL_TRUST=/usr/local/share/ca-certificates/

# trust_records MANIFEST: its records of certificates.
trust_records() {
  awk -F '\t' -v below="$LOCAL_TRUST" '
    $1 ~ /^(file|copy|symlink|link)$/ && index($2, below) == 1 && $2 ~ /\.crt$/' "$1"
}

# names_trust FILE…: is there a certificate in a manifest or a list of paths?
names_trust() {
  cat -- "$@" 2>/dev/null | grep -qF -- "$LOCAL_TRUST"
}

# Ends with 14 where a certificate could not be made trusted.
check_trust() {
  [ -z "$ROOT" ] && ! command -v update-ca-certificates >/dev/null 2>&1 || return 0
  _path=$(trust_records "$MANIFEST" | awk -F '\t' '{ print $2; exit }')
  [ -z "$_path" ] ||
    fail 14 "missing: update-ca-certificates, for $_path (install ca-certificates, or name it in the plan's packages)"
}

# mark_trust RELEASE: remembers that what is trusted is about to change, and by which paths, before it does; after the plan
# in WORK.
mark_trust() {
  [ -z "$ROOT" ] || return 0
  _was=/dev/null _is=/dev/null
  [ ! -f "$ETC/releases/$CURRENT/.gofleet/manifest" ] || _was=$ETC/releases/$CURRENT/.gofleet/manifest
  [ -z "$1" ] || _is=$ETC/releases/$1/.gofleet/manifest
  names_trust "$_was" "$_is" "$WORK/drop" || return 0
  # A link through `current` stays as it is while its text changes: the records tell.
  grep -qsF -- "$LOCAL_TRUST" "$WORK/make" "$WORK/drop" || [ "$(trust_records "$_was")" != "$(trust_records "$_is")" ] || return 0
  {
    cat -- "$VAR/trust" 2>/dev/null
    trust_records "$_was" | cut -f 2
    trust_records "$_is" | cut -f 2
    cut -f 1 "$WORK/drop" | grep -F -- "$LOCAL_TRUST"
  } | sort -u | write_file "$VAR/trust"
}

# Also on the way back and when the component goes; after a crash the mark is still there.
refresh_trust() {
  [ -e "$VAR/trust" ] || return 0
  if command -v update-ca-certificates >/dev/null 2>&1; then
    while IFS= read -r _path; do [ -e "$_path" ] || distrust "$_path"; done <"$VAR/trust"
    quiet update-ca-certificates || return 1
  fi
  rm -f -- "$VAR/trust"
}

# distrust PATH: its links, which update-ca-certificates leaves behind: `name.pem`, and `<hash>.<n>` that points at that.
distrust() {
  find /etc/ssl/certs -maxdepth 1 -type l -lname "$1" -printf '%f\n' | while IFS= read -r _pem; do
    find /etc/ssl/certs -maxdepth 1 -type l -lname "$_pem" -exec rm -f -- {} +
    rm -f -- "/etc/ssl/certs/$_pem"
  done
}
