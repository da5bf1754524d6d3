import type { GoEnvKey } from "../model/go-env-keys";
import type { AbsolutePath } from "../model/names";
import { command, quote } from "../render/shell";

/** What a host must answer for its toolchain to be healthy; paths as on `/`. */
export interface ToolchainProbe {
  readonly go: AbsolutePath;
  readonly goEnv: AbsolutePath;
  readonly version: string;
  readonly also: readonly { readonly version: string; readonly go: string }[];
  /** Settings that the component made. */
  readonly keys: readonly GoEnvKey[];
}

/** What the operator reads from the probe: one JSON object in one line on stdout. */
export interface ToolchainFacts {
  /** The default release's tree, symlinks resolved. */
  readonly goRoot: string;
  /** As `go env GOVERSION` says: `go1.26.8`. */
  readonly goVersion: string;
  /** The `go` to call. */
  readonly goBinary: string;
  /** Settings as go resolves them on that host, for a user without settings of its own. */
  readonly goEnv: Readonly<Record<string, string>>;
}

/** Settings that the facts hold besides those that were set. */
const ALWAYS = ["GOARCH", "GOOS", "GOPROXY", "GOROOT", "GOSUMDB", "GOTOOLCHAIN", "GOVERSION"];

/**
 * An sh script that fails unless `go` is exactly the wanted release, its compiler is of the same release, the releases
 * beside it are what they should be, and every line of the settings file is what go answers. It prints
 * {@link ToolchainFacts}. It reads `GOFLEET_ROOT` (may be empty), sees nothing else of its caller's environment, needs no
 * HOME and leaves nothing behind.
 */
export function toolchainProbe({ go, goEnv, version, also, keys }: ToolchainProbe): string {
  const names = [...new Set([...ALWAYS, ...keys])].sort();
  return `#!/bin/sh
set -eu
root=\${GOFLEET_ROOT-}
go=$root${quote(go)}
settings=$root${quote(goEnv)}
cd /
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { printf '%s\\n' "$*" >&2; exit 1; }
json() { printf '%s\\n' "$1" | sed 's/[\\\\"]/\\\\&/g; s/^/"/; s/$/"/'; }
run() { env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"; }

# usage: ask KEY; what go answers. Some keys make go create its cache: it goes to the scratch directory.
ask() {
  case $1 in
    GOCACHE | GOTMPDIR) run "$go" env "$1" ;;
    *) run GOCACHE="$scratch" GOTMPDIR="$scratch" "$go" env "$1" ;;
  esac || fail "go env $1 does not run"
}

# usage: is GO VERSION
is() {
  [ -x "$1" ] || fail "$1 is missing or cannot be executed"
  found=$(run "$1" env GOVERSION) || fail "$1 does not run"
  [ "$found" = "go$2" ] || fail "$1 is $found, wanted go$2"
  compiler=$(run "$1" tool compile -V=full) || fail "the compiler of $1 does not run"
  case "$compiler " in
    "compile version go$2 "*) ;;
    *) fail "the compiler of $1 is $compiler, wanted go$2" ;;
  esac
}

is "$go" ${quote(version)}
${also.map((each) => `is "$root"${quote(each.go)} ${quote(each.version)}\n`).join("")}
# Every line of the settings must be what go answers.
[ -r "$settings" ] || fail "$settings is missing"
while IFS= read -r line; do
  case $line in [A-Z]*=*) ;; *) continue ;; esac
  found=$(ask "\${line%%=*}")
  [ "$found" = "\${line#*=}" ] || fail "\${line%%=*} is $found, wanted \${line#*=}"
done < "$settings"

values=
for key in ${command(...names)}; do
  value=$(ask "$key")
  values="$values\${values:+,}\\"$key\\":$(json "$value")"
done
goroot=$(ask GOROOT)
printf '{"goRoot":%s,"goVersion":%s,"goBinary":%s,"goEnv":{%s}}\\n' \\
  "$(json "$goroot")" "$(json ${quote(`go${version}`)})" "$(json "$go")" "$values"
`;
}
