import { hasControlCharacter } from "../model/check";
import { GO_ENV_KEYS, type GoEnv } from "../model/go-env-keys";
import { MARKER } from "./marker";

/**
 * Lines for a Go tree's `go.env`: `KEY=value`, sorted. The go command takes everything after `=` literally, without
 * quotes or escapes, ignores lines that do not begin with a capital letter, and keeps the first of two lines for one
 * key; so these lines stand before the release's own. See https://go.dev/doc/toolchain#select.
 */
export function goEnvFile(env: GoEnv): string {
  const lines = GO_ENV_KEYS.flatMap((key) => {
    const value = env[key];
    if (value === undefined) return [];
    if (hasControlCharacter(value)) throw new Error(`${key} holds a control character`);
    return [`${key}=${value}`];
  });
  return [MARKER, ...lines.sort(), ""].join("\n");
}
