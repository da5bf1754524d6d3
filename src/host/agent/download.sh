# Big things: verified before they are placed, kept beside other versions, and looked after by size, time and sums.

# stage_downloads: every download of the manifest is there and whole afterwards, or the verb ends with 15.
stage_downloads() {
  has "$MANIFEST" download || return 0
  wanted_downloads "$MANIFEST" >"$WORK/downloads"
  sweep "$LIB"
  : >"$WORK/place"
  _lacking=
  while IFS=$TAB read -r _name _arch _format _checksum _overlay _managed _recipe <&4; do
    if download_right "$_name" "$_format" "$_checksum" "$_overlay" "$_managed" "$_recipe"; then
      emit download name "$_name" msg kept
    else
      has_source "$_name" "$_arch" || _lacking="${_lacking:+$_lacking, }$_name for $_arch"
      printf '%s\n' "$_name$TAB$_arch$TAB$_format$TAB$_checksum$TAB$_overlay$TAB$_managed$TAB$_recipe" >>"$WORK/place"
    fi
  done 4<"$WORK/downloads"
  # Before minutes are spent on the others, and after all that are there were named: the operator sends the rest.
  [ -z "$_lacking" ] || fail 15 "download $_lacking: no source given"
  [ ! -s "$WORK/place" ] || trust_release
  while IFS=$TAB read -r _name _arch _format _checksum _overlay _managed _recipe <&4; do
    place_download "$_name" "$_arch" "$_format" "$_checksum" "$_overlay" "$_managed" "$_recipe"
  done 4<"$WORK/place"
}

# Certificates that the host is about to trust hold for what is fetched before: its own store may not have them yet.
trust_release() {
  set -- "$UPLOAD/release/usr/local/share/ca-certificates"/*.crt
  [ -f "$1" ] || return 0
  _bundle=/etc/ssl/certs/ca-certificates.crt
  [ ! -f "$_bundle" ] || set -- "$_bundle" "$@"
  cat -- "$@" >"$WORK/ca.pem" || fail 12 "$WORK cannot be written: no space"
  # By these names curl, go and git find it.
  SSL_CERT_FILE=$WORK/ca.pem CURL_CA_BUNDLE=$WORK/ca.pem
  export SSL_CERT_FILE CURL_CA_BUNDLE
}

# name, arch, format, checksum, overlay, managed path that leads it, recipe or -: of what this machine needs. What is
# built comes last, for it may need another as its toolchain: - sorts before any package.
wanted_downloads() {
  awk -F '\t' -v OFS='\t' -v arch="$FACT_ARCH" '
    $1 == "build" { recipe[$2] = $3 " " $4 " " $5 " " $6 " " $7 }
    $1 != "download" { next }
    { names[$2] }
    $3 == arch || ($3 == "any" && !($2 in line)) {
      line[$2] = $2 OFS $3 OFS $4 OFS $5 OFS $6 OFS $7
    }
    END {
      for (n in names)
        print (n in line ? line[n] : n OFS "-" OFS "none" OFS "-" OFS "-" OFS "-"), (n in recipe ? recipe[n] : "-")
    }' "$1" | sort -t "$TAB" -k 7,7 -k 1,1
}

# download_right NAME FORMAT CHECKSUM OVERLAY MANAGED RECIPE: verified once, and nothing looks changed since.
download_right() {
  [ -d "$LIB/$1" ] && [ -f "$VAR/downloads/$1.stat" ] || return 1
  read -r _was <"$VAR/downloads/$1.stat"
  [ "$_was" = "$2 $3 $4 $5$(built_by "$6")" ] || return 1
  changed_files "$1" >"$WORK/changed"
  [ ! -s "$WORK/changed" ]
}

# built_by RECIPE: how the record of a verified tree goes on if its command was built here.
built_by() {
  [ "$1" = - ] || printf ' %s' "$1"
}

# What a tree looks like: path, type, mode, owner, size, times, link target.
look() {
  find "$1" -mindepth 1 -printf '%P\t%y\t%m\t%u:%g\t%s\t%T@\t%C@\t%l\n' | sort
}

# changed_files NAME: kind and path of what is not as verified. Only files that look changed are read.
changed_files() {
  _name=$1
  look "$LIB/$_name" >"$WORK/look"
  if sed 1d "$VAR/downloads/$_name.stat" | cmp -s - "$WORK/look"; then return 0; fi
  sed 1d "$VAR/downloads/$_name.stat" | awk -F '\t' -v OFS='\t' '
    FILENAME != ARGV[2] { was[$1] = $0; type[$1] = $2; mode[$1] = $3; who[$1] = $4; size[$1] = $5; link[$1] = $8; next }
    !($1 in was) { print "added", $1; next }
    { seen[$1] }
    was[$1] == $0 { next }
    $2 != type[$1] || $8 != link[$1] { print "replaced", $1; next }
    $2 == "f" && $5 != size[$1] { print "modified", $1; next }
    $3 != mode[$1] { print "mode", $1; next }
    $4 != who[$1] { print "owner", $1; next }
    $2 == "f" { print "check", $1 }
    END { for (p in was) if (!(p in seen)) print "missing", p }' - "$WORK/look" | sort >"$WORK/suspects"
  awk -F '\t' '$1 != "check"' "$WORK/suspects"
  awk -F '\t' '
    FNR == NR { if ($1 == "check") check[$2]; next }
    substr($0, 67) in check' "$WORK/suspects" "$VAR/downloads/$_name.sums" >"$WORK/resum"
  [ ! -s "$WORK/resum" ] || (cd -- "$LIB/$_name" && sha256sum -c --quiet - 2>/dev/null) <"$WORK/resum" |
    sed -n 's/^\(.*\): FAILED.*$/modified\t\1/p'
}

place_download() {
  _name=$1 _arch=$2 _format=$3 _checksum=$4 _overlay=$5 _managed=$6 _recipe=$7
  [ "$_format" != none ] || fail 15 "download $_name has no variant for $FACT_ARCH"
  mkdir -p -- "$LIB" || fail 12 "$LIB cannot be made"
  part_name "$LIB"
  rm -rf -- "$PART" && mkdir -p -- "$PART/tree" || stage_failed 12 "$PART cannot be made"
  [ "$_recipe" = - ] || prepare_build
  case $_format in
    module)
      can_unzip || fail 14 "missing: a program that unpacks zip files (install unzip), for download $_name"
      fetch "$_name" "$_arch" "$PART/archive" unpack_module "$_checksum" "$PART" || fetch_failed
      ;;
    tar.gz)
      fetch "$_name" "$_arch" "$PART/archive" check_sha256 "$_checksum" || fetch_failed
      emit download name "$_name" msg verified
      unpack_archive "$PART/archive" "$PART" || fetch_failed
      ;;
    file | file:*)
      fetch "$_name" "$_arch" "$PART/archive" check_sha256 "$_checksum" || fetch_failed
      emit download name "$_name" msg verified
      _out=$({ chmod 0755 -- "$PART/archive" && mv -- "$PART/archive" "$PART/tree/$(file_name "$_name")"; } 2>&1) ||
        stage_failed 12 "$_out"
      ;;
  esac
  [ "$_recipe" = - ] || build_command
  finish_tree "$PART/tree" || stage_failed 12 "$_name: $OUTPUT"
  settle_download "$PART/tree" || stage_failed 12 "$LIB/$_name: no space or read-only"
  rm -rf -- "$PART" "$VAR/downloads/$_name".*.pushed
  emit download name "$_name" msg unpacked
}

# A full disk is told from a bad source.
fetch_failed() {
  case $WHY in *'No space left'* | *'curl: (23)'* | *'disk full'* | *'no space'* | *'quota exceeded'*) stage_failed 12 "$WHY" ;; esac
  # What the plan says that a person can do about it.
  [ ! -f "$UPLOAD/advice/$_name" ] || WHY="$WHY. What would do: $(cat -- "$UPLOAD/advice/$_name")"
  stage_failed 15 "$WHY"
}

# A single file is called as the manifest says; else as in its first address; a pushed one as the download.
file_name() {
  case $_format in
    file:*)
      printf '%s\n' "${_format#file:}"
      return 0
      ;;
  esac
  [ ! -f "$UPLOAD/sources" ] || while IFS=$TAB read -r _source _for _url; do
    [ "$_source" = "$1" ] || continue
    shown_url "$_url"
    printf '%s\n' "${SHOWN##*/}"
    return 0
  done <"$UPLOAD/sources"
  printf '%s\n' "$1"
}

# The overlay, and the sums of every file.
finish_tree() {
  OUTPUT=$(
    {
      place_overlay "$1" "$_name" "$_overlay" && cd -- "$1" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum -- >"$PART/sums" &&
        sync -f .
    } 2>&1
  )
}

# The marker of an installed tree is its directory under the final name, with .sums and .stat written before.
settle_download() {
  _final=$LIB/$_name
  if [ -d "$_final" ]; then
    # Repaired file by file: what uses the tree now never finds it gone.
    repair_tree "$1" "$_final" || return 1
    find "$_final" -mindepth 1 -type d -empty -delete
  fi
  cp -- "$PART/sums" "$VAR/downloads/$_name.sums.new" && mv -fT -- "$VAR/downloads/$_name.sums.new" "$VAR/downloads/$_name.sums" || return 1
  [ -d "$_final" ] && set -- "$_final"
  { printf '%s\n' "$_format $_checksum $_overlay $_managed$(built_by "$_recipe")" && look "$1"; } | write_file "$VAR/downloads/$_name.stat" || return 1
  [ "$1" = "$_final" ] || mv -T -- "$1" "$_final" || return 1
  sync -f "$LIB" 2>/dev/null
  return 0
}
