import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";
import { quote } from "../shell";

/** What {@link apparmorScript} is made of. */
export interface ApparmorScript {
  /** The slots' profiles: `<prefix>-<number>`. */
  readonly prefix: string;
  readonly profiles: readonly string[];
  /** File of the profiles, below `/etc/apparmor.d`. */
  readonly path: AbsolutePath;
  /** The file to load instead where AppArmor knows user namespaces. */
  readonly path4?: AbsolutePath;
  /** The profile of the canary build, and its file. */
  readonly canary: { readonly profile: string; readonly path: AbsolutePath };
}

const NO_KERNEL =
  "this host's kernel runs without it, so no profile confines a job. Start the kernel with apparmor=1 " +
  "security=apparmor on its command line (Debian's and Ubuntu's have it, and begin with it by default), or set " +
  'confinement: "off"';

/**
 * `check [TREE]`: the kernel enforces profiles, and the parser takes these, as they are below a directory. `load` puts
 * them into the kernel, in place of what is there under their names, and takes out those of slots that are gone;
 * `unload` takes out all. A process whose profile is taken out goes on without any, so slots must have stopped.
 * `load-canary [TREE]` and `unload-canary` do the same with the profile of the canary build alone.
 *
 * The parser's cache is left to the distribution's own service, which loads the same file at boot: the cache is told to
 * be old by times of files, and a file that goes back to an earlier release may have an older one.
 */
export function apparmorScript({ prefix, profiles, path, path4, canary }: ApparmorScript): string {
  const choice = path4 === undefined ? "" : `[ ! -e /etc/apparmor.d/abi/4.0 ] || file=${quote(path4)}\n`;
  return `#!/bin/sh
${MARKER}
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
kernel=/sys/kernel/security/apparmor
wanted=${quote(` ${profiles.join(" ")} `)}
file=${quote(path)}
${choice}
fail() {
  echo "AppArmor: $1" >&2
  exit 1
}

check() {
  [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] ||
    fail ${quote(NO_KERNEL)}
  [ -e "$kernel/.replace" ] || fail "$kernel is missing: mount -t securityfs securityfs /sys/kernel/security"
  command -v apparmor_parser >/dev/null || fail "there is no apparmor_parser: apt-get install apparmor"
  parse "\${1-}" "$file" --skip-kernel-load || fail "the profiles in \${1-}$file are not good"
}

# Rules of a staged tree come before those that are installed; its profiles include some of the distribution's, too.
parse() {
  tree=$1
  profiles=$2
  shift 2
  apparmor_parser --quiet --skip-cache --Include "$tree/etc/apparmor.d" --Include /etc/apparmor.d "$@" "$tree$profiles"
}

loaded() {
  sed -n ${quote(`s/^\\(${prefix.replaceAll(".", "\\.")}-[0-9]*\\) (.*/\\1/p`)} "$kernel/profiles"
}

remove() {
  printf %s "$1" >"$kernel/.remove"
}

unload_canary() {
  ! grep -q ${quote(`^${canary.profile.replaceAll(".", "\\.")} (`)} "$kernel/profiles" || remove ${quote(canary.profile)}
}

case \${1-} in
check) check "\${2-}" ;;
load)
  check
  parse "" "$file" --replace
  for profile in $(loaded); do
    case $wanted in
    *" $profile "*) ;;
    *) remove "$profile" ;;
    esac
  done
  ;;
unload)
  for profile in $(loaded); do remove "$profile"; done
  unload_canary
  rm -f /var/cache/apparmor/*/${quote(path.slice(path.lastIndexOf("/") + 1))}
  ;;
load-canary)
  check "\${2-}"
  parse "\${2-}" ${quote(canary.path)} --replace
  ;;
unload-canary) unload_canary ;;
*)
  echo "usage: $0 check [TREE] | load | unload | load-canary [TREE] | unload-canary" >&2
  exit 2
  ;;
esac
`;
}
