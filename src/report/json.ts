import type { Report } from "./report";

/** The report as JSON by src/report/report.schema.json; sentences are plain text. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
