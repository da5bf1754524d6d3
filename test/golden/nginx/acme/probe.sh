#!/bin/sh
set -eu
fail() { printf '%s\n' "$*" >&2; exit 1; }
config=$(sed -n 's/^ *add_header X-Gomod-Config "\([0-9a-f]*\)" always;$/X-Gomod-Config: \1/p' /etc/gofleet/goproxy/nginx.conf)
[ -n "$config" ] || fail '/etc/gofleet/goproxy/nginx.conf does not say its digest'
wanted=$(openssl x509 -noout -fingerprint -sha256 -in /etc/gofleet/goproxy/tls-chain.pem)

tries=0
while :; do
  served=$(printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' goproxy.example.org |
    timeout 10 openssl s_client -ign_eof -connect 127.0.0.1:443 -servername goproxy.example.org 2>/dev/null) || :
  found=$(printf '%s\n' "$served" | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || found=
  loaded=
  case $served in *"$config"*) loaded=1 ;; esac
  [ "$found" = "$wanted" ] && [ -n "$loaded" ] && break
  tries=$((tries + 1))
  if [ "$tries" -ge 40 ]; then
    [ "$found" = "$wanted" ] || fail '127.0.0.1:443 does not answer with the certificate of /etc/gofleet/goproxy/tls-chain.pem'
    fail '127.0.0.1:443 does not answer by /etc/gofleet/goproxy/nginx.conf, but by a configuration of before'
  fi
  sleep 0.5
done
case $served in
  *'HTTP/1.1 200'* | *'HTTP/1.1 400'*) ;;
  *) fail '127.0.0.1:443 does not answer /healthz' ;;
esac
#!/bin/sh
set -eu
fail() { printf '%s\n' "$*" >&2; exit 1; }
config=$(sed -n 's/^ *add_header X-Gomod-Config "\([0-9a-f]*\)" always;$/X-Gomod-Config: \1/p' /etc/gofleet/goproxy/nginx.conf)
[ -n "$config" ] || fail '/etc/gofleet/goproxy/nginx.conf does not say its digest'

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

tries=0
while :; do
  served=$(printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' goproxy.example.org |
    timeout 10 openssl s_client -ign_eof -connect 127.0.0.1:443 -servername goproxy.example.org 2>/dev/null) || :
  found=$(printf '%s\n' "$served" | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || found=
  loaded=
  case $served in *"$config"*) loaded=1 ;; esac
  [ "$found" = "$wanted" ] && [ -n "$loaded" ] && break
  tries=$((tries + 1))
  if [ "$tries" -ge 40 ]; then
    [ "$found" = "$wanted" ] || fail '127.0.0.1:443 does not answer with the certificate of /etc/gofleet/goproxy/tls-chain.pem'
    fail '127.0.0.1:443 does not answer by /etc/gofleet/goproxy/nginx.conf, but by a configuration of before'
  fi
  sleep 0.5
done
