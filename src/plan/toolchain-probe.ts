import type { GoEnvKey } from "../model/go-env";
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
 * {@link ToolchainFacts}. It reads `GOFLEET_ROOT` (may be empty), sees no environment of its caller, and writes nothing.
 */
export function toolchainProbe({ go, goEnv, version, also, keys }: ToolchainProbe): string {
  const names = [...new Set([...ALWAYS, ...keys])].sort();
  return `#!/bin/sh
set -eu
root=\${GOFLEET_ROOT-}
go=$root${quote(go)}
settings=$root${quote(goEnv)}
cd /

fail() { printf '%s\\n' "$*" >&2; exit 1; }
run() { env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"; }
json() { printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g; s/^/"/; s/$/"/'; }

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
  key=\${line%%=*}
  found=$(run "$go" env "$key") || fail "go env $key does not run"
  [ "$found" = "\${line#*=}" ] || fail "$key is $found, wanted \${line#*=}"
done < "$settings"

goroot=$(run "$go" env GOROOT)
values=$(run "$go" env -json ${command(...names)} | tr -d '\\n\\t')
printf '{"goRoot":%s,"goVersion":%s,"goBinary":%s,"goEnv":%s}\\n' \\
  "$(json "$goroot")" "$(json ${quote(`go${version}`)})" "$(json "$go")" "$values"
`;
}
