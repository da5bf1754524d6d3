/** One report of one record, in a process of its own; prints its seconds and the process' peak of memory. */
import { readFileSync } from "node:fs";
import { buildReport } from "../../src/report/build";
import { renderHtml } from "../../src/report/html";
import { renderJson } from "../../src/report/json";
import { renderMarkdown } from "../../src/report/markdown";
import { readPreview } from "../../src/report/read-preview";

const name = process.argv[2] ?? "";
const began = process.hrtime.bigint();
const report = buildReport(readPreview([{ name, text: readFileSync(name, "utf8") }]));
const size = renderMarkdown(report).text.length + renderHtml(report).length + renderJson(report).length;
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
if (size === 0 || report.verdict.hosts < 1000) throw new Error("the report is not of 1,000 hosts");
// maxRSS is in KiB: https://nodejs.org/docs/latest-v20.x/api/process.html#processresourceusage
process.stdout.write(JSON.stringify({ seconds, megabytes: (process.resourceUsage().maxRSS * 1024) / 1e6 }));
