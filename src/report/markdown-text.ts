import { escapeHtml, printable } from "./plain-text";
import { Words } from "./words";

/** Longest text shown inside a line; what is longer ends in `…`. */
const LONGEST = 160;

/**
 * Text of users as a code span, whatever is in it: nothing in a code span is markup, a mention, a reference or a link.
 * Its fence is longer than any run of backticks inside.
 */
export function code(text: string, longest = LONGEST): string {
  const inner = clip(printable(text).replace(/[\n\t]/g, " "), longest);
  if (inner.trim() === "") return "` `";
  const fence = "`".repeat(longestRun(inner, "`") + 1);
  const pad = inner.startsWith("`") || inner.endsWith("`") || (inner.startsWith(" ") && inner.endsWith(" ")) ? " " : "";
  return `${fence}${pad}${inner}${pad}${fence}`;
}

/** A sentence: our own words as they are, all else as code. */
export function sentence({ parts }: Words): string {
  return parts.map((part) => (typeof part === "string" ? part : code(part.code))).join("");
}

/** A sentence inside an HTML block, where Markdown is not read. */
export function htmlSentence({ parts }: Words): string {
  return parts
    .map((part) =>
      typeof part === "string"
        ? part
        : `<code>${escapeHtml(clip(printable(part.code).replace(/[\n\t]/g, " "), LONGEST))}</code>`,
    )
    .join("");
}

/** A block of text, fenced longer than any fence inside. */
export function fenced(lines: readonly string[], language = ""): string {
  const text = lines.map((line) => printable(line).replaceAll("\n", "␊")).join("\n");
  const fence = "`".repeat(Math.max(3, longestRun(text, "`") + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

/** A link to a place in the repository, or the place alone. */
export function place(text: string, url: string | undefined): string {
  return url === undefined ? code(text) : `[${code(text)}](${url})`;
}

export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  // Never between the halves of a surrogate pair.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 2)) ? most - 2 : most - 1;
  return `${text.slice(0, end)}…`;
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  for (let at = 0, run = 0; at < text.length; at++) {
    run = text[at] === character ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
