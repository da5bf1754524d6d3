import type { Report } from "./report";

/** The report as JSON by docs/pr-report.schema.json; sentences are plain text. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
