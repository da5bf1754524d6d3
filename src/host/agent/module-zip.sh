# Go module zips: the `h1:` sum is over the unpacked files, so they are unpacked aside first.

# unpack_module CHECKSUM PART ZIP: a Go module zip, verified by the h1: sum of its unpacked files.
unpack_module() {
  rm -rf -- "$2/zip" && mkdir -- "$2/zip" || { WHY="no space in $2"; return 1; }
  _out=$(unzip_into "$3" "$2/zip" 2>&1) || { WHY="$SHOWN: $_out"; return 1; }
  (cd -- "$2/zip" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum --) >"$2/h1"
  _hex=$(sha256sum <"$2/h1")
  _got=h1:$(printf %b "$(printf '%s' "${_hex%% *}" | hex_to_octal)" | base64)
  if [ "$_got" != "$1" ]; then
    WHY="$SHOWN: $_got, wanted: $1"
    return 1
  fi
  emit download name "$_name" msg verified
  _prefix=$(sed -n '1s/^[0-9a-f]*  \([^@]*@[^/]*\)\/.*/\1/p' "$2/h1")
  rm -rf -- "$2/tree"
  [ -n "$_prefix" ] && mv -T -- "$2/zip/$_prefix" "$2/tree" || { WHY="$SHOWN: not a module zip"; return 1; }
  find "$2/tree" -type d -exec chmod 0755 -- {} +
  find "$2/tree" -type f -exec chmod 0644 -- {} +
  for _executable in "$2"/tree/bin/* "$2"/tree/pkg/tool/*/*; do
    [ ! -f "$_executable" ] || chmod 0755 -- "$_executable"
  done
  rm -f -- "$3"
}

# Hex digits as escapes of printf.
hex_to_octal() {
  awk '{
    for (i = 1; i < length($0); i += 2)
      printf "\\0%03o", (index("0123456789abcdef", substr($0, i, 1)) - 1) * 16 + index("0123456789abcdef", substr($0, i + 1, 1)) - 1
  }'
}

# unzip_into ZIP DIRECTORY: with whatever the host has.
unzip_into() {
  if command -v bsdtar >/dev/null 2>&1; then bsdtar -xf "$1" -C "$2"
  elif command -v unzip >/dev/null 2>&1; then unzip -q "$1" -d "$2" </dev/null
  elif command -v python3 >/dev/null 2>&1; then python3 -m zipfile -e "$1" "$2"
  elif command -v busybox >/dev/null 2>&1; then busybox unzip -q "$1" -d "$2" </dev/null
  fi
}

can_unzip() {
  command -v bsdtar >/dev/null 2>&1 || command -v unzip >/dev/null 2>&1 || command -v python3 >/dev/null 2>&1 ||
    command -v busybox >/dev/null 2>&1
}
