import assert from "node:assert/strict";
import MarkdownIt from "markdown-it";

/** What is looked at of a parsed node. */
interface Node {
  readonly nodeName: string;
  readonly tagName?: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly Node[];
}

/** HTML in the Markdown that is ours. */
const BLOCKS = /^(<details>|<summary>(?:[^<>]|<\/?code>)*<\/summary>|<\/details>|\s)*$/;

/** Words a forge would turn into something: mentions, references, links. */
const LIVE = /[@#!~&%$][\w/-]|GH-\d|:\w+:|https?:|www\.|\w@\w/;

const markdown = new MarkdownIt({ html: true, linkify: true });

/** Elements the page may have: no script, no picture, no form, no frame. */
const ELEMENTS = new Set(
  "html head meta title style body main header section article h1 h2 h3 p ul li b br code span div pre a details summary table tbody tr th td".split(
    " ",
  ),
);

/** Fails where anything a user wrote became markup, a mention, a reference or a link; by real parsers. */
export async function assertInert(text: string, page: string): Promise<void> {
  for (const found of liveMarkdown(text)) assert.fail(`live in Markdown: ${found}`);
  for (const found of await livePage(page)) assert.fail(`live in the page: ${found}`);
}

/** What of a Markdown text is live that must not be. */
export function liveMarkdown(text: string): string[] {
  const found: string[] = [];
  for (const token of markdown.parse(text, {})) {
    if (token.type === "html_block" && !BLOCKS.test(token.content)) found.push(token.content);
    if (token.type === "heading_open" && !["h2", "h3"].includes(token.tag)) found.push(`heading ${token.tag}`);
    if (token.type === "code_block") found.push(`indented code: ${token.content}`);
    if (/^(table|ordered_list)_open$/.test(token.type)) found.push(token.type);
    let links = 0;
    for (const child of token.children ?? []) {
      if (child.type === "link_open") {
        links += 1;
        const target = String(child.attrGet("href"));
        if (!/^https:\/\/(git|ci)\.corp\.example\//.test(target) || child.markup === "linkify")
          found.push(`link ${target}`);
      }
      if (child.type === "link_close") links -= 1;
      if (["html_inline", "image", "em_open", "s_open"].includes(child.type))
        found.push(`${child.type} ${child.content}`);
      if (child.type === "text" && links === 0 && LIVE.test(child.content)) found.push(`text ${child.content}`);
    }
  }
  return found;
}

/** What of a page is live that must not be. */
export async function livePage(page: string): Promise<string[]> {
  // Its package has no form that require takes.
  const { parse } = await import("parse5");
  const found: string[] = [];
  const visit = (node: Node): void => {
    if (node.tagName !== undefined) {
      if (!ELEMENTS.has(node.tagName)) found.push(`<${node.tagName}>`);
      for (const { name, value } of node.attrs ?? []) {
        if (/^on|^style$|^src/.test(name)) found.push(`${name}=${value}`);
        if (name === "href" && !/^https:\/\/git\.corp\.example\//.test(value)) found.push(`href=${value}`);
      }
    }
    if (node.nodeName === "#comment") found.push("a comment");
    node.childNodes?.forEach(visit);
  };
  parse(page)
    .childNodes.filter(({ nodeName }) => nodeName !== "#documentType")
    .forEach(visit);
  return found;
}
