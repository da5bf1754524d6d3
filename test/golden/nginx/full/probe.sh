#!/bin/sh
set -eu
fail() { printf '%s\n' "$*" >&2; exit 1; }
wanted=$(openssl x509 -noout -fingerprint -sha256 -in /etc/gofleet/goproxy/tls-chain.pem)

# A reload takes effect a moment after it was asked for.
tries=0
while :; do
  served=$(printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' goproxy.corp.example |
    timeout 10 openssl s_client -ign_eof -connect 127.0.0.1:443 -servername goproxy.corp.example 2>/dev/null) || :
  found=$(printf '%s\n' "$served" | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || found=
  [ "$found" = "$wanted" ] && break
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail '127.0.0.1:443 does not answer with the certificate of /etc/gofleet/goproxy/tls-chain.pem'
  sleep 0.5
done
case $served in
  *'HTTP/1.1 200'* | *'HTTP/1.1 400'*) ;;
  *) fail '127.0.0.1:443 does not answer /healthz' ;;
esac
