#!/bin/sh
# Written by gofleet; change the program that declares it, not this file.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
rule=/etc/rsyslog.d/30-gofleet-cache.conf
# shellcheck disable=SC2016 # rsyslog's own variable
condition='if $programname == "buildcached" then'
trial=$(mktemp -d) || exit 1
trap 'rm -rf -- "$trial"' EXIT

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The host's own, for what has no rule of a service is the host's as well. Not enabled, journald has nobody to give lines to.
command -v rsyslogd >/dev/null || fail "there is no rsyslog on this host: apt-get install rsyslog"
case $(systemctl is-enabled rsyslog.service 2>/dev/null) in
  enabled*) ;;
  *) fail "rsyslog.service is not enabled on this host: systemctl enable --now rsyslog.service" ;;
esac

# The last setting counts; without one it is the distribution's, which is yes.
forward=$(systemd-analyze cat-config systemd/journald.conf |
  sed -n 's/^ForwardToSyslog[[:space:]]*=[[:space:]]*//p' | tail -n 1 | tr '[:upper:]' '[:lower:]')
case $forward in
  0 | n | no | f | false | off) fail "journald gives rsyslog nothing: set ForwardToSyslog=yes in journald.conf on this host" ;;
esac

cp -a -- /etc/rsyslog.d/. "$trial/" || exit 1
rm -f -- "$trial/${rule##*/}"
other=$(grep -lsF -- "$condition" "$trial"/30-gofleet-*.conf)
[ -z "$other" ] || fail "${other##*/} has the lines of the same identifier; give one of the services another (journal.identifier)"
cp -- "$GOFLEET_STAGED$rule" "$trial/" || exit 1

said=$(TRIAL=$trial unshare --mount sh 2>&1 <<'END'
mount --bind -- "$TRIAL" /etc/rsyslog.d && rsyslogd -N1
END
) || fail "rsyslogd -N1: $(printf '%s\n' "$said" | grep -v 'config validation run')"
