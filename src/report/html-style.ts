/** The page's only style: system fonts, light and dark by the reader's setting, one column that fits a phone. */
export const STYLE = `
:root { color-scheme: light dark; --back: #ffffff; --fore: #1f2328; --soft: #59636e; --line: #d1d9e0; --card: #f6f8fa;
  --link: #0969da; --danger: #cf222e; --warn: #9a6700; --good: #1a7f37; --note: #0969da;
  --added: #dafbe1; --removed: #ffebe9; --hunk: #ddf4ff; }
@media (prefers-color-scheme: dark) {
  :root { --back: #0d1117; --fore: #e6edf3; --soft: #9198a1; --line: #3d444d; --card: #151b23; --link: #4493f8;
    --danger: #f85149; --warn: #d29922; --good: #3fb950; --note: #4493f8;
    --added: #12361f; --removed: #45191c; --hunk: #121d2f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--fore); overflow-wrap: anywhere;
  font: 15px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .4rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .8rem; }
p { margin: .3rem 0; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
code { font: .875em ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  background: var(--card); border: 1px solid var(--line); border-radius: 5px; padding: .08em .35em;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.soft { color: var(--soft); font-size: .92rem; }
.verdict { border-left: 5px solid var(--good); padding-left: 1rem; }
.verdict.none { border-color: var(--line); } .verdict.attention { border-color: var(--warn); }
.verdict.danger, .verdict.failed { border-color: var(--danger); }
.gate { margin: 1.2rem 0 0; padding: .7rem 1rem; border: 1px solid var(--danger); border-radius: 8px; }
.gate.pass { border-color: var(--good); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: .9rem 0 0; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: 999px; padding: .1rem .75rem; font-size: .9rem; }
ul.risks { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 8px; }
ul.risks > li { padding: .55rem .9rem .55rem 2.1rem; position: relative; border-top: 1px solid var(--line); }
ul.risks > li:first-child { border-top: 0; }
ul.risks > li::before { content: ""; position: absolute; left: .9rem; top: 1rem; width: .6rem; height: .6rem;
  border-radius: 50%; background: var(--note); }
ul.risks > li.danger::before { background: var(--danger); } ul.risks > li.attention::before { background: var(--warn); }
.said p { font-size: .92rem; } .said p:not(:first-child) { color: var(--soft); }
article { border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; margin: 0 0 .8rem; }
article h3 { margin: 0; font-size: 1rem; font-weight: 400; } article .what { font-weight: 600; margin: .25rem 0; }
article ul { margin: .3rem 0 .2rem; padding-left: 1.2rem; }
.op { display: inline-block; min-width: 4.6rem; font-size: .78rem; font-weight: 600; text-transform: uppercase;
  letter-spacing: .03em; color: var(--warn); }
.op.create, .op.import { color: var(--good); } .op.replace, .op.delete { color: var(--danger); }
details { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 .6rem; overflow: hidden; }
summary { cursor: pointer; padding: .55rem .9rem; background: var(--card); }
pre { margin: 0; padding: .6rem 0; overflow-x: auto; overflow-wrap: normal; tab-size: 8;
  font: .82rem/1.45 ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre span { display: block; padding: 0 .9rem; min-height: 1.45em; width: max-content; min-width: 100%; }
pre .add { background: var(--added); } pre .del { background: var(--removed); } pre .hunk { background: var(--hunk); color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td, th { text-align: left; vertical-align: top; padding: .4rem .9rem; border-top: 1px solid var(--line); }
.message { border: 1px solid var(--line); border-left: 4px solid var(--warn); border-radius: 8px; margin: 0 0 .8rem; padding: .5rem 0 0; }
.message.error { border-left-color: var(--danger); } .message p { padding: 0 .9rem; }
@media print { details { break-inside: avoid; } }
`;
