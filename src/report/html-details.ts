import type { PropertyChange } from "./compare";
import { html, phrase, type Html } from "./html-text";
import { titleOf } from "./markdown-details";
import type { Detail } from "./report";
import type { TextDiff } from "./text-diff";

/** A difference, folded. */
export function detailHtml(detail: Detail, several: boolean): Html {
  const { file, properties = [] } = detail;
  const body = file === undefined ? table(properties) : diff(file);
  return html`<details>
    <summary>${phrase(titleOf(detail, several))}</summary>
    ${body}
  </details>`;
}

function diff({ lines }: TextDiff): Html {
  return html`<pre>${lines.map((line) => html`<span class="${kindOf(line)}">${line}</span>`)}</pre>`;
}

function kindOf(line: string): string {
  if (line.startsWith("@@")) return "hunk";
  return line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : "same";
}

function table(properties: readonly PropertyChange[]): Html {
  const cell = (text: string | undefined): Html => (text === undefined ? html`` : html`<code>${text}</code>`);
  const rows = properties.map(
    ({ path, before, after, replaces }) =>
      html`<tr>
        <td><code>${path}</code>${replaces ? html`<br /><b>forces the replacement</b>` : ""}</td>
        <td>${cell(before)}</td>
        <td>${cell(after)}</td>
      </tr>`,
  );
  return html`<div class="scroll">
    <table>
      <tr>
        <th>property</th>
        <th>before</th>
        <th>after</th>
      </tr>
      ${rows}
    </table>
  </div>`;
}
