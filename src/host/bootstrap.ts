import { quote } from "../render/shell";

/**
 * The one command line that starts the agent: a private directory, the upload unpacked into it, the agent run. With a
 * sudo password the upload follows a line that holds it; sudo may or may not have read that line, so the upload is
 * preceded by a marker line and everything before the marker is dropped.
 */
export function bootstrap(verb: string, runDirectory: string, options: { skipToMarker?: boolean } = {}): string {
  const base = quote(runDirectory);
  const skip = options.skipToMarker === true ? `while IFS= read -r l; do [ "$l" = ${MARKER} ] && break; done; ` : "";
  return (
    `${skip}umask 022; mkdir -p ${base}; umask 077; d=$(mktemp -d ${base}/up.XXXXXX) || exit 12; ` +
    `tar xzf - -C "$d" || { rm -rf "$d"; exit 11; }; exec sh "$d/agent" ${quote(verb)} "$d"`
  );
}

/** Ends what precedes the upload on standard input. */
export const MARKER = "gofleet-upload";
