import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020";

// As the package brings it: made from src/report/report.schema.json by the build.
const schema = JSON.parse(readFileSync(require.resolve("gofleet/report.schema.json"), "utf8")) as object;
const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

/** Where a report is not as src/report/report.schema.json says. */
export function schemaErrors(report: unknown): string[] {
  return validate(report)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ""}`);
}
