# An archive from the operator's machine.

# `put`: an archive from the operator's machine, for the next run.
verb_put() {
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  facts
  preflight
  check_machine
  check_owner
  make_component || fail 12 "$VAR cannot be written: no space or read-only"
  for _upload in "$UPLOAD/upload"/*; do
    [ -f "$_upload" ] || continue
    _to=$VAR/downloads/${_upload##*/}.pushed
    mv -f -- "$_upload" "$_to.new" && mv -fT -- "$_to.new" "$_to" || {
      rm -f -- "$_to.new"
      fail 12 "$_to cannot be written: no space or read-only"
    }
    emit download name "${_upload##*/}" msg pushed
  done
  finish 0 ok pushed
}
