import { approvable, shortly } from "./gate";
import { groupComponents, groupPolicies, type ComponentGroup, type PolicyGroup } from "./grouped";
import { detailHtml } from "./html-details";
import { STYLE } from "./html-style";
import { html, phrase, type Html } from "./html-text";
import { linkOf, type Source } from "./links";
import type { ComponentChange, DiagnosticRow, Report, Risk } from "./report";
import { capital } from "./words";

export interface HtmlOptions {
  readonly source?: Source;
  readonly title?: string;
}

/** The whole report as one page that loads nothing: no script, no font, no picture from elsewhere. */
export function renderHtml(report: Report, { source, title }: HtmlOptions = {}): string {
  const link: Link = (position) => {
    if (position === undefined) return html``;
    const { text, url } = linkOf(position, source);
    return url === undefined ? html` · <code>${text}</code>` : html` · <a href="${url}"><code>${text}</code></a>`;
  };
  const several = report.stacks.length > 1;
  const body = html`
    ${head(report, source, title)} ${gateHtml(report)}
    ${section(
      "Look at this first",
      report.risks.length,
      html`<ul class="risks">
        ${report.risks.map((risk) => riskHtml(risk, several, link))}
      </ul>`,
    )}
    ${section("What changes", report.components.length, html`${groupComponents(report.components).map((each) => componentHtml(each, several, link))}`)}
    ${section(
      "Policies",
      report.policies.length,
      html`<ul class="risks">
        ${groupPolicies(report.policies).map((each) => policyHtml(each, link))}
      </ul>`,
    )}
    ${section("Messages", report.diagnostics.length, html`${report.diagnostics.map((each) => messageHtml(each, link))}`)}
    ${section("Details", report.details.length, html`${report.details.map((detail) => detailHtml(detail, several))}`)}
  `;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${report.verdict.title.toJSON()}</title>
        <style>
          ${html.trusted(STYLE)}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text;
}

type Link = (position: Risk["position"]) => Html;

function section(title: string, count: number, content: Html): Html {
  return count === 0
    ? html``
    : html`<section>
        <h2>${title}</h2>
        ${content}
      </section>`;
}

function head({ verdict, stacks, policies }: Report, source: Source | undefined, title: string | undefined): Html {
  const names = stacks.map(
    ({ project, stack }) => html`<code>${project === "" ? stack : `${project}/${stack}`}</code> `,
  );
  const commit = source === undefined ? html`` : html`at <code>${source.commit.slice(0, 12)}</code>`;
  const packs = [...new Set(stacks.flatMap((each) => each.packs))].sort();
  const kept =
    packs.length === 0 || policies.length > 0
      ? html``
      : html` · policies of ${packs.map((name) => html`<code>${name}</code> `)}kept`;
  const counts = Object.entries(verdict.counts).filter(([, count]) => count > 0);
  const hosts =
    verdict.hosts === 0 ? html`` : html`<li>${verdict.hosts} ${verdict.hosts === 1 ? "host" : "hosts"}</li>`;
  return html`<header class="verdict ${verdict.level}">
      <h1>${title === undefined ? "" : `${title}: `}<span>${phrase(capital(verdict.title))}</span></h1>
      <p class="soft">${names}${commit}${kept}</p>
    </header>
    <ul class="counts">
      ${counts.map(([op, count]) => html`<li>${count} ${PILLS[op] ?? op}</li>`)}${hosts}
    </ul>`;
}

const PILLS: Readonly<Record<string, string>> = {
  create: "new",
  update: "to update",
  replace: "to replace",
  delete: "to delete",
  same: "unchanged",
};

function gateHtml({ gate }: Report): Html {
  const why = shortly(gate);
  if (why === undefined) return html``;
  const title = gate.pass ? html`<b>Approved</b> by <code>${gate.approval}</code>:` : html`<b>Stopped:</b>`;
  const way =
    gate.pass || !approvable(gate) ? html`` : html` <code>${gate.approval}</code> on this change lets it pass.`;
  return html`<p class="gate ${gate.pass ? "pass" : "stop"}">${title} ${phrase(why)}.${way}</p>`;
}

function riskHtml({ level, text, stack, position }: Risk, several: boolean, link: Link): Html {
  return html`<li class="${level}">
    ${phrase(text)}${several ? html` · <code>${stack}</code>` : ""}${link(position)}
  </li>`;
}

function componentHtml({ first, all }: ComponentGroup, several: boolean, link: Link): Html {
  const alone = all.length === 1;
  const name = (each: ComponentChange): Html =>
    html`<b><code>${each.name}</code></b
      >${several ? html` in <code>${each.stack}</code>` : ""}`;
  const type = html`<span class="soft">${first.type}</span>`;
  const title = alone ? html`${name(first)} ${type}${link(first.position)}` : html`${type} ${all.length} times`;
  const each = ({ where, rollout }: ComponentChange): Html =>
    html` ${phrase(where)}${rollout === undefined ? "" : html`: ${phrase(rollout)}`}`;
  const places = alone ? [] : all.map((one) => html`<li>${name(one)}${each(one)}${link(one.position)}</li>`);
  const rollout = first.rollout === undefined || !alone ? html`` : html`<li>${phrase(first.rollout)}</li>`;
  const sentences = first.sentences.map((one) => html`<li>${phrase(one)}</li>`);
  return html`<article>
    <h3><span class="op ${first.op}">${first.op}</span> ${title}</h3>
    <p class="what">${phrase(capital(first.headline))}${alone ? html` ${phrase(first.where)}` : ""}</p>
    ${
      places.length === 0
        ? ""
        : html`<ul>
              ${places}
            </ul>
            <p>Each of them:</p>`
    }
    <ul>
      ${sentences}${rollout}
    </ul>
  </article>`;
}

function policyHtml({ first, all }: PolicyGroup, link: Link): Html {
  const level = { mandatory: "danger", remediate: "notice", advisory: "attention" }[first.level];
  const on = all.flatMap(({ resource, position }) =>
    resource === undefined ? [] : [html`<code>${resource}</code>${link(position)}`],
  );
  const where = on.length === 0 ? html`` : html` on ${on.map((each, index) => (index === 0 ? each : html`, ${each}`))}`;
  const lines = first.message.split("\n").filter((line) => line.trim() !== "");
  return html`<li class="${level}">
    <b><code>${first.policy}</code></b>
    (${first.level}${first.severity === undefined ? "" : `, ${first.severity}`})${where}
    <div class="said">${lines.map((line) => html`<p>${line}</p>`)}</div>
  </li>`;
}

function messageHtml({ severity, message, resource, stack, position }: DiagnosticRow, link: Link): Html {
  const lines = message.split("\n").map((line) => html`<span>${line}</span>`);
  return html`<div class="message ${severity}">
    <p><b>${severity}</b> <code>${resource ?? stack}</code>${link(position)}</p>
    <pre>${lines}</pre>
  </div>`;
}
