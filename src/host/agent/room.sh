# How much room is left where a release would go.

# `room`: read-only; each file system that releases, downloads and uploads are on, once, by where it is mounted.
verb_room() {
  facts
  _seen=
  for _path in "$HOST_ETC" "$HOST_VAR" "$HOST_LIB" "$HOST_RUN"; do
    while [ ! -e "$_path" ]; do _path=${_path%/*}; done
    _mount=$(stat -c %m -- "${_path:-/}") || continue
    case "$_seen$NL" in *"$NL$_mount$NL"*) continue ;; esac
    _seen=$_seen$NL$_mount
    stat -f -c '%S %b %a %c %d' -- "${_path:-/}" | while read -r _block _blocks _left _nodes _nodes_left; do
      emit room path "$_mount" :bytes "$((_block * _blocks))" :free "$((_block * _left))" \
        :inodes "$_nodes" :inodesfree "$_nodes_left"
    done
  done
  finish 0 ok "nothing was changed"
}
