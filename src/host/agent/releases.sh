# What is known of each kept release beside its files: who put it on, when, from which commit and snapshot.

# record_release ID: at the end of its transaction. A request without commit and snapshot went back to what is here: then
# those of the one that brought it stay.
record_release() {
  read_record "$1"
  [ -d "$VAR/releases" ] || mkdir -- "$VAR/releases" || return 1
  write_text "$VAR/releases/$1" "time $(date -u +%Y-%m-%dT%H:%M:%SZ)${NL}operator $OPERATOR
commit ${COMMIT:-$RECORD_COMMIT}${NL}snapshot ${SNAPSHOT:-$RECORD_SNAPSHOT}"
}

# Sets RECORD_* of a release; its directory's time, where nothing was recorded.
read_record() {
  RECORD_TIME='' RECORD_OPERATOR='' RECORD_COMMIT='' RECORD_SNAPSHOT='' RECORD_BEHIND=''
  if [ ! -f "$VAR/releases/$1" ]; then
    RECORD_TIME=$(date -u -r "$ETC/releases/$1" +%Y-%m-%dT%H:%M:%SZ)
    return 0
  fi
  while read -r key value; do
    case $key in
      time) RECORD_TIME=$value ;;
      operator) RECORD_OPERATOR=$value ;;
      commit) RECORD_COMMIT=$value ;;
      snapshot) RECORD_SNAPSHOT=$value ;;
      behind) RECORD_BEHIND=$value ;;
    esac
  done <"$VAR/releases/$1"
}

# Records of releases that are gone.
sweep_records() {
  for _record in "$VAR/releases"/*; do
    [ ! -f "$_record" ] || [ -d "$ETC/releases/${_record##*/}" ] || rm -f -- "$_record"
  done
}

# release_kept ID: could the host go back to it? Its files, downloads and secrets are there, and the files are right.
release_kept() {
  _tree=$ETC/releases/$1
  _kept_manifest=$_tree/.gofleet/manifest
  _sum=$(sha256sum 2>/dev/null <"$_kept_manifest") || return 1
  case $_sum in "$1"*) ;; *) return 1 ;; esac
  wrong_sums "$_kept_manifest" "$_tree" >/dev/null || return 1
  while IFS=$TAB read -r _kind _name _hmac _rest; do
    case $_kind in
      download) [ -d "$LIB/$_name" ] || return 1 ;;
      secret) [ -f "$VAR/secrets/$_hmac" ] || return 1 ;;
    esac
  done <"$_kept_manifest"
}

# `releases`: read-only, the newest first.
verb_releases() {
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  facts
  [ -n "$CURRENT" ] || finish 0 absent "no component $COMPONENT on this host"
  check_machine
  set_work "$UPLOAD"
  ls -1t -- "$ETC/releases" >"$WORK/releases"
  while IFS= read -r _id; do
    case $_id in *[!0-9a-f]*) continue ;; esac
    read_record "$_id"
    _current=false _whole=false
    [ "$_id" != "$CURRENT" ] || _current=true
    ! release_kept "$_id" || _whole=true
    emit release id "$_id" time "$RECORD_TIME" operator "$RECORD_OPERATOR" commit "$RECORD_COMMIT" \
      snapshot "$RECORD_SNAPSHOT" behind "$RECORD_BEHIND" :current "$_current" :whole "$_whole"
  done <"$WORK/releases"
  finish 0 ok "releases of $COMPONENT"
}
