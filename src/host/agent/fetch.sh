# Gets the bytes of a download: a file the operator pushed, then each source in order.

# fetch NAME ARCH DESTINATION CHECK…: tries sources until CHECK accepts the destination. Sets WHY on failure.
fetch() {
  _name=$1 _arch=$2 _to=$3
  shift 3
  WHY="download $_name for $_arch: no source given"
  SHOWN='the pushed file'
  for _pushed in "$VAR/downloads/$_name.$_arch.pushed" "$VAR/downloads/$_name.any.pushed"; do
    [ -f "$_pushed" ] || continue
    emit download name "$_name" msg pushed
    # Not copied: it may be large. A wrong one would only be found wrong again.
    mv -fT -- "$_pushed" "$_to" || { WHY="download $_name: no space for the pushed file"; return 1; }
    "$@" "$_to" && return 0
  done
  [ -f "$UPLOAD/sources" ] || return 1
  while IFS=$TAB read -r _source _for _url <&3; do
    [ "$_source" = "$_name" ] || continue
    [ "$_for" = "$_arch" ] || [ "$_for" = any ] || continue
    emit download name "$_name" msg fetching
    fetch_url "$_url" "$_to" && "$@" "$_to" && return 0
  done 3<"$UPLOAD/sources"
  return 1
}

# has_source NAME ARCH: is there anything to try?
has_source() {
  for _pushed in "$VAR/downloads/$1.$2.pushed" "$VAR/downloads/$1.any.pushed"; do
    [ ! -f "$_pushed" ] || return 0
  done
  [ "$2" != - ] || return 0
  [ -f "$UPLOAD/sources" ] || return 1
  while IFS=$TAB read -r _source _for _url; do
    [ "$_source" != "$1" ] || { [ "$_for" != "$2" ] && [ "$_for" != any ]; } || return 0
  done <"$UPLOAD/sources"
  return 1
}

# fetch_url URL FILE: the address goes by standard input, never by argv, for it may hold a password.
fetch_url() {
  shown_url "$1"
  _left=$(seconds_left)
  [ "$_left" -gt 0 ] || { WHY="$SHOWN: no time left"; return 1; }
  case $1 in
    goproxy:*)
      fetch_module "${1#goproxy:}" "$2"
      return
      ;;
    file://*)
      _error=$(cp -- "${1#file://}" "$2" 2>&1) && return 0
      ;;
    http://* | https://*)
      if command -v curl >/dev/null 2>&1; then
        _error=$(printf 'url = "%s"\n' "$1" | curl --config - --fail --location --silent --show-error \
          --proto '=http,https' --connect-timeout 15 --speed-limit 1024 --speed-time 30 --max-time "$_left" \
          --retry 2 --retry-delay 1 --output "$2" 2>&1 9>&-) && return 0
      elif command -v wget >/dev/null 2>&1; then
        _error=$(printf '%s\n' "$1" | timeout "$_left" wget -q ${SSL_CERT_FILE:+--ca-certificate="$SSL_CERT_FILE"} -i - -T 30 -t 3 -O "$2" 2>&1 9>&-) && return 0
        _error="wget failed${_error:+: $_error}"
      else
        fail 14 "missing: curl or wget (install curl), to download $SHOWN"
      fi
      ;;
    *) _error='not a file:, http: or https: address' ;;
  esac
  WHY="$SHOWN: $_error"
  return 1
}

# Sets SHOWN: the address without user, password and query.
shown_url() {
  SHOWN=${1%%\?*}
  case $SHOWN in
    *://*@*)
      _rest=${SHOWN#*://}
      _authority=${_rest%%/*}
      [ "${_authority#*@}" = "$_authority" ] || SHOWN=${SHOWN%%://*}://${_authority##*@}${_rest#"$_authority"}
      ;;
  esac
}

seconds_left() {
  uptime_seconds
  printf '%s\n' $((STARTED + DEADLINE - UPTIME))
}

# check_sha256 WANTED FILE
check_sha256() {
  _got=$(sha256sum <"$2")
  _got=${_got%% *}
  [ "$_got" = "$1" ] && return 0
  WHY="$SHOWN: sha256 is $_got, wanted: $1 ($(came "$2"))"
  return 1
}

# came FILE: how much came, and whether it is a page for people, which a server or a gateway may send instead.
came() {
  case $(head -c 64 -- "$1" | tr -d '\000' | tr '[:upper:]' '[:lower:]' | tr -s '\n\t ' ' ') in
    '<!doctype html'* | ' <!doctype html'* | '<html'* | ' <html'*) _page=', an HTML page' ;;
    *) _page= ;;
  esac
  printf '%s bytes came%s\n' "$(stat -c %s -- "$1")" "$_page"
}
