# Modules by the go command that will build them, from where its settings say: proxies, a file, or the repository itself.

# fetch_module MODULE@VERSION FILE: the module's zip. Its sum is known here, so no checksum database is asked. Sets WHY.
fetch_module() {
  run_go "$PART/go/home" "$GOROOT_PATH/bin/go" env GOPROXY
  _proxies=$(go_said)
  run_go "$PART/go/home" env GOSUMDB=off "$GOROOT_PATH/bin/go" mod download -modcacherw "$1"
  if [ "$_code" = 0 ]; then
    SHOWN="$1, by GOPROXY=$_proxies"
    _zip=$(find "$PART/go/mod/cache/download" -path '*/@v/*' -name '*.zip')
    _error=$(mv -fT -- "$_zip" "$2" 2>&1) && return 0
    WHY="$SHOWN: $_error"
    return 1
  fi
  _said=$(go_said)
  say_output "$_said"
  WHY="download $_name: ${TOOLCHAIN:-go}, whose GOPROXY is $_proxies, did not get $1: $(printf '%s\n' "$_said" | tail -n 4 | tail -c 1500)"
  return 1
}
