import type { AbsolutePath } from "../model/names";
import { MARKER } from "./marker";
import { quote } from "./shell";

/**
 * A script for `/etc/profile.d` that puts a directory in front of PATH. It takes out earlier copies first, so PATH does
 * not grow when it is read again, and it leaves empty entries and their order alone.
 */
export function pathProfile(directory: AbsolutePath): string {
  return `${MARKER}
_gofleet_dir=${quote(directory)}
_gofleet_path=":\${PATH-}:"
while :; do
  case "$_gofleet_path" in
    *":$_gofleet_dir:"*)
      _gofleet_path="\${_gofleet_path%%":$_gofleet_dir:"*}:\${_gofleet_path#*":$_gofleet_dir:"}" ;;
    *) break ;;
  esac
done
_gofleet_path="\${_gofleet_path#:}"
_gofleet_path="\${_gofleet_path%:}"
PATH="$_gofleet_dir\${_gofleet_path:+:$_gofleet_path}"
export PATH
unset _gofleet_dir _gofleet_path
`;
}
