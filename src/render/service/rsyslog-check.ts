import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";
import { quote } from "../shell";
import { ruleCondition } from "./rsyslog-rule";

/** What is looked at before a rule comes to a host. */
export interface RsyslogCheck {
  /** The rule's place, among those that rsyslog reads. */
  readonly rule: AbsolutePath;
  readonly identifier: string;
}

const FOLDER: AbsolutePath = "/etc/rsyslog.d";

/**
 * Whether rsyslog takes the host's configuration with the staged rule in it. It reads all of it, as it will after the
 * switch, in a mount namespace of its own where the rule is in its place: nobody else sees it there.
 */
export function rsyslogCheck({ rule, identifier }: RsyslogCheck): string {
  return `#!/bin/sh
${MARKER}
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
rule=${quote(rule)}
# shellcheck disable=SC2016 # rsyslog's own variable
condition=${quote(ruleCondition(identifier))}
trial=$(mktemp -d) || exit 1
trap 'rm -rf -- "$trial"' EXIT

fail() {
  printf '%s\\n' "$*" >&2
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

cp -a -- ${FOLDER}/. "$trial/" || exit 1
rm -f -- "$trial/\${rule##*/}"
other=$(grep -lsF -- "$condition" "$trial"/30-gofleet-*.conf)
[ -z "$other" ] || fail "\${other##*/} has the lines of the same identifier; give one of the services another (journal.identifier)"
cp -- "$GOFLEET_STAGED$rule" "$trial/" || exit 1

said=$(TRIAL=$trial unshare --mount sh 2>&1 <<'END'
mount --bind -- "$TRIAL" ${FOLDER} && rsyslogd -N1
END
) || fail "rsyslogd -N1: $(printf '%s\\n' "$said" | grep -v 'config validation run')"
`;
}
