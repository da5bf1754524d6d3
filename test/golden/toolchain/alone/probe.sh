#!/bin/sh
set -eu
root=${GOFLEET_ROOT-}
go=$root/etc/gofleet/go/goroot/bin/go
settings=$root/etc/gofleet/go/go.env
cd /
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { printf '%s\n' "$*" >&2; exit 1; }
json() { printf '%s\n' "$1" | sed 's/[\\"]/\\&/g; s/^/"/; s/$/"/'; }
run() { env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"; }

# usage: ask KEY; what go answers. Some keys make go create its cache: it goes to the scratch directory.
ask() {
  case $1 in
    GOCACHE | GOTMPDIR) run "$go" env "$1" ;;
    *) run GOCACHE="$scratch" GOTMPDIR="$scratch" "$go" env "$1" ;;
  esac || fail "go env $1 does not run"
}

# usage: is GO VERSION
is() {
  [ -x "$1" ] || fail "$1 is missing or cannot be executed"
  found=$(run "$1" env GOVERSION) || fail "$1 does not run"
  [ "$found" = "go$2" ] || fail "$1 is $found, wanted go$2"
  compiler=$(run "$1" tool compile -V=full) || fail "the compiler of $1 does not run"
  case "$compiler " in
    "compile version go$2 "*) ;;
    *) fail "the compiler of $1 is $compiler, wanted go$2" ;;
  esac
}

is "$go" 1.26.8

# Every line of the settings must be what go answers.
[ -r "$settings" ] || fail "$settings is missing"
while IFS= read -r line; do
  case $line in [A-Z]*=*) ;; *) continue ;; esac
  found=$(ask "${line%%=*}")
  [ "$found" = "${line#*=}" ] || fail "${line%%=*} is $found, wanted ${line#*=}"
done < "$settings"

values=
for key in GOARCH GOOS GOPROXY GOROOT GOSUMDB GOTOOLCHAIN GOVERSION; do
  value=$(ask "$key")
  values="$values${values:+,}\"$key\":$(json "$value")"
done
goroot=$(ask GOROOT)
printf '{"goRoot":%s,"goVersion":%s,"goBinary":%s,"goEnv":{%s}}\n' \
  "$(json "$goroot")" "$(json go1.26.8)" "$(json "$go")" "$values"
