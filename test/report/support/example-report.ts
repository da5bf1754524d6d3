import { buildReport, type BuildOptions } from "../../../src/report/build";
import type { Source } from "../../../src/report/links";
import { readPreview, type SavedFile } from "../../../src/report/read-preview";
import type { Report } from "../../../src/report/report";

/** Where golden reports link to. */
export const source = (directory: string): Source => ({
  repository: "https://git.corp.example/fleet/infra",
  commit: "0123456789abcdef0123456789abcdef01234567",
  directory,
});

export const FULL = "https://ci.corp.example/runs/42";

export function reportOf(files: readonly SavedFile[], options?: BuildOptions): Report {
  return buildReport(readPreview(files), options);
}
