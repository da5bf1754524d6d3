# Files of the release that lead files of a download: the tree's `go.env` is a link to
# current/.gofleet/overlay/<download>, which is the release's lines, then the tree's own.

# overlay_target NAME OVERLAY: what the link inside the tree points at.
overlay_target() {
  _link=/etc/gofleet/$COMPONENT/current/.gofleet/overlay/$1
  if [ -n "$ROOT" ]; then
    # From usr/local/lib/gofleet/<component>/<name>/, and as deep again as the overlay is.
    _deep=$2
    _link=../../../../../..$_link
    while [ "$_deep" != "${_deep#*/}" ]; do
      _deep=${_deep#*/}
      _link=../$_link
    done
  fi
  printf '%s\n' "$_link"
}

# place_overlay TREE NAME OVERLAY: in a tree that was just verified.
place_overlay() {
  [ "$3" != - ] || return 0
  mkdir -p -- "$1/$(dirname -- "$3")" || return 1
  if [ -f "$1/$3" ]; then mv -fT -- "$1/$3" "$1/$3.orig"; else : >"$1/$3.orig"; fi &&
    ln -sfn -- "$(overlay_target "$2" "$3")" "$1/$3"
}

# each_overlay: name, path inside the tree and managed path for every download on disk, whichever release brought it:
# running builds keep their settings.
each_overlay() {
  for _stat in "$VAR/downloads"/*.stat; do
    [ -f "$_stat" ] || continue
    read -r _format _checksum _overlay _managed _recipe <"$_stat"
    _name=${_stat##*/}
    _name=${_name%.stat}
    [ "$_overlay" = - ] || [ ! -f "$LIB/$_name/$_overlay.orig" ] || printf '%s\t%s\t%s\n' "$_name" "$_overlay" "$_managed"
  done
}

# overlay_text TREE NAME OVERLAY MANAGED: what the derived file must be in a release's tree.
overlay_text() {
  [ ! -f "$1$4" ] || cat -- "$1$4"
  cat -- "$LIB/$2/$3.orig"
}

# wrong_overlays TREE: name and path of those that are not as derived.
wrong_overlays() {
  each_overlay | while IFS=$TAB read -r _name _overlay _managed; do
    overlay_text "$1" "$_name" "$_overlay" "$_managed" | cmp -s - "$1/.gofleet/overlay/$_name" ||
      printf '%s\t%s\t%s\n' "$_name" "$_overlay" "$_managed"
  done
}

# stage_overlays TREE: derived anew at every stage.
stage_overlays() {
  wrong_overlays "$1" >"$WORK/overlays"
  [ -s "$WORK/overlays" ] || return 0
  mkdir -p -- "$1/.gofleet/overlay" || return 1
  while IFS=$TAB read -r _name _overlay _managed; do
    overlay_text "$1" "$_name" "$_overlay" "$_managed" | write_file "$1/.gofleet/overlay/$_name" || return 1
  done <"$WORK/overlays"
}
