import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";

/**
 * How logrotate treats a file that rsyslog writes: each week, or when its daily look finds it larger than 100 MiB. rsyslog
 * is then told to open it anew, by its package's own script.
 *
 * @see logrotate(8)
 */
export function logRotation(file: AbsolutePath): string {
  return `${MARKER}
${file} {
  weekly
  maxsize 100M
  rotate 8
  missingok
  notifempty
  compress
  delaycompress
  postrotate
    /usr/lib/rsyslog/rsyslog-rotate
  endscript
}
`;
}
