import type { ResolvedDownloadMode } from "../../model/mirror/download-mode";
import { MARKER } from "../marker";

/**
 * Athens' download mode file: HCL, the first block that matches counts.
 * See https://docs.gomods.io/configuration/download/.
 */
export function downloadModeFile({ mode, url, rules }: ResolvedDownloadMode): string {
  const blocks = rules.map((rule) => {
    const lines = [`  mode = ${hclString(rule.mode)}`];
    if (rule.url !== undefined) lines.push(`  downloadURL = ${hclString(rule.url)}`);
    return `\ndownload ${hclLabel(rule.modules)} {\n${lines.join("\n")}\n}\n`;
  });
  return `${MARKER}\n\nmode = ${hclString(mode)}\ndownloadURL = ${hclString(url)}\n${blocks.join("")}`;
}

/**
 * A string of HCL that stands for exactly this text: `${` and `%{` would begin a template.
 * See https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions.
 */
export function hclString(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new Error("an HCL string must be well-formed Unicode");
  const escaped = text
    .replace(/["\\]/g, "\\$&")
    .replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replace(/[$%](?=\{)/g, "$&$&");
  return `"${escaped}"`;
}

/** The label of a block is no template, so that what begins one has no escape. */
function hclLabel(pattern: string): string {
  if (!/^[A-Za-z0-9._~*/+-]+$/.test(pattern))
    throw new Error(`${JSON.stringify(pattern)} is not a module path pattern`);
  return `"${pattern}"`;
}
