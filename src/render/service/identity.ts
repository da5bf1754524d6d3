import { IDENTITY_KEYS, type ProgramIdentity } from "../../model/service/release-identity";
import { quote } from "../shell";
import { IDENTITY_READER } from "./identity-reader";

/** A program on a host, and what it must say of itself. */
export interface IdentityCheck {
  /** The directory of the download, as on `/`. */
  readonly tree: string;
  /** The program's path below it. */
  readonly program: string;
  readonly identity: ProgramIdentity;
}

/**
 * An sh script that fails unless the program is there, can be executed, is for this machine, finds what loads it, and
 * says of itself what is wanted. It prints what the program says as one line of JSON, the `FoundIdentity` of
 * model/service/release-identity.ts. It reads `GOFLEET_ROOT` (may be empty), never runs the program, and reads no more of
 * it than its headers and its build information.
 */
export function identityScript({ tree, program, identity }: IdentityCheck): string {
  const wanted = IDENTITY_KEYS.flatMap((key) => {
    const value = identity[key];
    return value === undefined ? [] : [`export wanted_${key}=${quote(String(value))}\n`];
  });
  return `#!/bin/sh
set -eu
LC_ALL=C
export LC_ALL
tree=\${GOFLEET_ROOT-}${quote(tree)}
name=${quote(program)}
program=$tree/$name
export program
${wanted.join("")}
fail() { printf '%s\\n' "$*" >&2; exit 1; }

if [ ! -f "$program" ]; then
  there=$(find "$tree" -mindepth 1 -maxdepth 2 -type f -printf '%P ' 2>/dev/null | cut -c 1-300)
  fail "$name is not in what was downloaded, which has: \${there:-nothing}"
fi
[ -x "$program" ] || fail "$name cannot be executed: it was packed without that right (chmod 0755)"

# shellcheck disable=SC2016 # an awk program
exec awk -v machine="$(uname -m)" -v bytes="$(stat -L -c %s "$program")" -v name="$name" ${quote(`\n${IDENTITY_READER}`)}
`;
}
