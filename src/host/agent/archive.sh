# Archives (tar.gz) as their makers pack them: with one directory around everything, or with none.

# unpack_archive FILE PART: into PART/tree; a directory that is all there is in the archive is left out. Sets WHY.
unpack_archive() {
  _inside=$2/tar
  mkdir -- "$_inside" || { WHY="no space in $2"; return 1; }
  if ! _out=$(tar -xzf "$1" -C "$_inside" --no-same-owner 2>&1); then
    WHY="download $_name cannot be unpacked: $(printf '%s\n' "$_out" | tail -n 3)"
    return 1
  fi
  case $_out in
    *'emoving leading'*)
      # tar takes such a name for one inside and goes on, but whoever packed it meant something else.
      WHY="download $_name cannot be unpacked: it has names that begin with / or lead out of it by .."
      return 1
      ;;
  esac
  _top=$(find "$_inside" -mindepth 1 -maxdepth 1 -printf '%y %P\n')
  case $_top in
    *"$NL"*) _top=$_inside ;;
    'd '*) _top=$_inside/${_top#d } ;;
    *) _top=$_inside ;;
  esac
  _out=$({ rm -rf -- "$2/tree" && mv -T -- "$_top" "$2/tree" && chmod 0755 -- "$2/tree" && rm -rf -- "$_inside"; } 2>&1) ||
    { WHY=$_out; return 1; }
}
