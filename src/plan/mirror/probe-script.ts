import { quote } from "../../render/shell";
import { CONFIG_HEADER } from "../../render/mirror/nginx-server";
import type { MirrorPlace } from "./place";

/** How often a probe of the front asks again while workers of before a reload answer, half a second apart. */
export const TRIES = 40;

/**
 * The beginning of a probe of the front, sh: `fail` says why it fails, and `$config` is what an answer of `/healthz` holds
 * once the configuration on the host is the one that nginx runs.
 */
export function probeBeginning(place: MirrorPlace): string {
  const line = `s/^ *add_header ${CONFIG_HEADER} "\\([0-9a-f]*\\)" always;$/${CONFIG_HEADER}: \\1/p`;
  return `#!/bin/sh
set -eu
fail() { printf '%s\\n' "$*" >&2; exit 1; }
config=$(sed -n ${quote(line)} ${quote(place.front.config)})
[ -n "$config" ] || fail ${quote(`${place.front.config} does not say its digest`)}
`;
}
