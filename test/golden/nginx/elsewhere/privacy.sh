#!/bin/sh
set -eu
fail() { printf '%s\n' "$*" >&2; exit 1; }
config=$(sed -n 's/^ *add_header X-Gomod-Config "\([0-9a-f]*\)" always;$/X-Gomod-Config: \1/p' /etc/gofleet/goproxy/nginx.conf)
[ -n "$config" ] || fail '/etc/gofleet/goproxy/nginx.conf does not say its digest'

# On one connection, which one worker answers by one configuration: the first answer says by which.
ask() {
  {
    printf 'HEAD /healthz HTTP/1.1\r\nHost: %s\r\n\r\n' goproxy.corp.example
    for path in "$@"; do printf 'HEAD %s HTTP/1.1\r\nHost: %s\r\n\r\n' "$path" goproxy.corp.example; done
    printf 'HEAD /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' goproxy.corp.example
  } | timeout 20 openssl s_client -quiet -ign_eof -connect 192.0.2.10:8443 -servername goproxy.corp.example 2>/dev/null
}
set -- \
  /sumdb/sum.golang.org/lookup/git.corp.example/gofleet-probe@v0.0.0-gofleet

tries=0
while :; do
  answers=$(ask "$@") || :
  case $answers in *"$config"*) break ;; esac
  tries=$((tries + 1))
  [ "$tries" -lt 40 ] || fail '192.0.2.10:8443 does not answer by /etc/gofleet/goproxy/nginx.conf, but by a configuration of before'
  sleep 0.5
done
statuses=$(printf '%s\n' "$answers" | sed -n 's|^HTTP/[0-9.]* \([0-9]*\).*|\1|p' | sed 1d)
for path in "$@"; do
  status=${statuses%%[!0-9]*}
  case $status in
    401 | 403) ;;
    *) fail "a private name gets out: $path was not refused, but answered ${status:-not at all}" ;;
  esac
  statuses=${statuses#"$status"}
  statuses=${statuses#?}
done
