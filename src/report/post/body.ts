import { formatMarker, parseMarker, type Marker, type MarkerStyle } from "./marker";

const STALE = "> ⚠️ **Out of date.** This report is for ";

/** A comment's text: its marker, a remark where the pull request has moved on, and the report. */
export function compose(marker: Marker, report: string, style: MarkerStyle, head: string | undefined): string {
  const stale = head === undefined ? [] : [staleLine(marker.commit, head)];
  return [formatMarker(marker, style), ...stale, report.trim()].join("\n\n");
}

/** The comment with the remark that it is about an older commit than `head`; undefined where it says so already. */
export function markStale(body: string, head: string): string | undefined {
  const marker = parseMarker(body);
  if (marker === undefined) return undefined;
  const line = staleLine(marker.commit, head);
  const [first = "", second = "", ...rest] = body.replaceAll("\r\n", "\n").split("\n\n");
  if (second === line) return undefined;
  return [first, line, ...(second.startsWith(STALE) ? [] : [second]), ...rest].join("\n\n");
}

function staleLine(commit: string, head: string): string {
  return `${STALE}~~${commit.slice(0, 12)}~~; the newest commit is ${head.slice(0, 12)}.`;
}

const ZERO_WIDTH = "\u200b";

/**
 * A report that was rendered by code nobody has reviewed (a pull request from a fork), made harmless: it calls nobody,
 * loads no picture, hides no text, and says where it comes from.
 */
export function fromUntrusted(report: string): string {
  const harmless = report
    .replace(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, "")
    .replace(/@(?=[\w-])/g, `@${ZERO_WIDTH}`)
    .replace(/!(?=\[)/g, `!${ZERO_WIDTH}`)
    .replace(/<(?=\s*(img|picture|source|video|audio|svg)\b)/gi, "&lt;");
  return `> Rendered by the pull request's own code, which nobody has reviewed yet.\n\n${harmless.trim()}`;
}

/** Lines that a forge would take for a command of the one who posts, such as GitLab's `/merge`, made plain text. */
export function withoutCommands(body: string): string {
  return body.replace(/^([ \t]*)\/(?=[a-z])/gm, `$1${ZERO_WIDTH}/`);
}
