#!/bin/sh
# Written by gofleet; change the program that declares it, not this file.
set -u
unit=gofleet-cache.service
show() { systemctl show --property="$1" --value -- "$unit"; }
broken() { case $(show ActiveState) in failed | inactive) return 0 ;; *) return 1 ;; esac; }
fail() {
  printf '%s: %s, %s, %s; exit status %s, started again %s times\n' "$1" "$(show ActiveState)" "$(show SubState)" \
    "$(show Result)" "$(show ExecMainStatus)" "$(show NRestarts)" >&2
  exit 1
}
uptime_seconds() { cut -d . -f 1 /proc/uptime; }
# get URL SECONDS SOCKET BODY: good if the answer is 2xx; answer says what came.
get() {
  answer=$(curl -q --silent --show-error --noproxy '*' --max-time "$2" ${3:+--unix-socket "$3"} \
    --output "$4" --write-out 'HTTP %{http_code}' --url "$1" 2>&1)
  case $answer in 'HTTP 2'[0-9][0-9]) return 0 ;; esac
  # Beside curl's own words there is no status.
  answer=$(printf '%s' "${answer%HTTP 000}" | tr -s '\n' ' ')
  return 1
}

body=$(mktemp) || exit 1
trap 'rm -f -- "$body"' EXIT
until=$(($(uptime_seconds) + 20))
while ! get http://127.0.0.1:7070/readyz 2 '' "$body"; do
  if broken || [ "$(uptime_seconds)" -ge "$until" ]; then
    fail "buildcached is not ready: $answer $(head -c 500 -- "$body" | tr -d '\000')"
  fi
  sleep 0.2
done
