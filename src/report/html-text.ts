import { escapeHtml, printable } from "./plain-text";
import type { Words } from "./words";

/** HTML that is safe as it stands. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = string | number | Html | readonly Value[];

/** Tagged template for HTML: everything put in is escaped, in text as in quoted attributes, unless it is {@link Html}. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const put = (value: Value | undefined): string => {
    if (value === undefined) return "";
    if (value instanceof Html) return value.text;
    if (Array.isArray(value)) return value.map(put).join("");
    return escapeHtml(printable(String(value)));
  };
  return new Html(texts.map((text, index) => text + put(values[index])).join(""));
}

/** Text of our own that is markup already. */
html.trusted = (text: string): Html => new Html(text);

/** A sentence: our own words as text, all else as code. */
export function phrase({ parts }: Words): Html {
  return html`${parts.map((part) => (typeof part === "string" ? html`${part}` : html`<code>${part.code}</code>`))}`;
}
