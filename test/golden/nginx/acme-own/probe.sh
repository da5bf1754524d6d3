#!/bin/sh
set -eu
fail() { printf '%s\n' "$*" >&2; exit 1; }
wanted=$(openssl x509 -noout -fingerprint -sha256 -in /etc/gofleet/goproxy/tls-chain.pem)

# A reload takes effect a moment after it was asked for.
tries=0
while :; do
  served=$(printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' goproxy.corp.example |
    timeout 10 openssl s_client -ign_eof -connect 192.0.2.10:8443 -servername goproxy.corp.example 2>/dev/null) || :
  found=$(printf '%s\n' "$served" | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || found=
  [ "$found" = "$wanted" ] && break
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail '192.0.2.10:8443 does not answer with the certificate of /etc/gofleet/goproxy/tls-chain.pem'
  sleep 0.5
done
case $served in
  *'HTTP/1.1 200'* | *'HTTP/1.1 400'*) ;;
  *) fail '192.0.2.10:8443 does not answer /healthz' ;;
esac
#!/bin/sh
set -eu
fail() { printf '%s\n' "$*" >&2; exit 1; }

if ! systemctl start gofleet-goproxy-acme.service 2>/dev/null; then
  journalctl --sync 2>/dev/null || :
  run=$(systemctl show --property=InvocationID --value gofleet-goproxy-acme.service)
  said=$(journalctl --no-pager --output=cat _SYSTEMD_INVOCATION_ID="$run" |
    grep -v -e '^$' -e '^Saving debug log' -e '^Ask for help' -e '^Hint: ' | tail -n 20)
  systemctl reset-failed gofleet-goproxy-acme.service
  if why=$(sh /etc/gofleet/goproxy/acme served 2>&1); then
    printf 'not renewed, but valid: %s\n' "$said"
  else
    fail "$why: $said"
  fi
fi
wanted=$(openssl x509 -noout -fingerprint -sha256 -in /etc/gofleet/goproxy/tls-chain.pem)

# A reload takes effect a moment after it was asked for.
tries=0
while :; do
  served=$(printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' goproxy.corp.example |
    timeout 10 openssl s_client -ign_eof -connect 192.0.2.10:8443 -servername goproxy.corp.example 2>/dev/null) || :
  found=$(printf '%s\n' "$served" | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || found=
  [ "$found" = "$wanted" ] && break
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail '192.0.2.10:8443 does not answer with the certificate of /etc/gofleet/goproxy/tls-chain.pem'
  sleep 0.5
done
