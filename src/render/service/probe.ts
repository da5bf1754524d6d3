import type { Probe } from "../../model/service/health";
import { command } from "../shell";

/**
 * A function of sh, `get URL SECONDS SOCKET BODY`: good if the answer is 2xx. `answer` is its status, or why there is
 * none; BODY takes what came. No proxy and no settings of a user are asked.
 */
export const GET = `# get URL SECONDS SOCKET BODY: good if the answer is 2xx; answer says what came.
get() {
  answer=$(curl -q --silent --show-error --noproxy '*' --max-time "$2" \${3:+--unix-socket "$3"} \\
    --output "$4" --write-out 'HTTP %{http_code}' --url "$1" 2>&1)
  case $answer in 'HTTP 2'[0-9][0-9]) return 0 ;; esac
  # Beside curl's own words there is no status.
  answer=$(printf '%s' "\${answer%HTTP 000}" | tr -s '\\n' ' ')
  return 1
}`;

/** A call of it. */
export function getCommand({ get, timeout, socket }: Probe, body: string): string {
  return `${command("get", get, String(timeout), socket ?? "")} ${body}`;
}
