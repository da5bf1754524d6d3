#!/bin/sh
set -eu
refused() {
  nft list counter inet gofleet_ci metadata | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}
nft list chain inet gofleet_ci jobs >/dev/null || {
  echo 'table inet gofleet_ci is not loaded: systemctl status gofleet-ci-egress.service' >&2
  exit 1
}
ip route get 169.254.169.254 >/dev/null 2>&1 || { echo 'no route to 169.254.169.254: nothing to refuse'; exit 0; }
for user in gofleet-ci-1 gofleet-ci-2; do
  before=$(refused)
  if timeout 10 runuser -u "$user" -- bash -c 'exec 3<>/dev/tcp/169.254.169.254/80' 2>/dev/null; then
    echo "$user reaches "'169.254.169.254: jobs would have the machine'\''s identity' >&2
    exit 1
  fi
  [ "$(refused)" -gt "$before" ] || {
    echo "what $user sends is not looked at by the rules: is the user the one they name?" >&2
    exit 1
  }
done
