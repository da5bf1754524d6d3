import { ENVIRONMENT_SECRET, secretTexts, secretVariables } from "../../model/mirror/athens-secrets";
import type { ResolvedAthens } from "../../model/mirror/athens";
import { quote } from "../shell";

/** Assignments for sh, sorted; the unit's wrapper reads them with `set -a`. */
export function athensEnvironment(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} is not a variable's name`);
    return `${name}=${quote(value)}\n`;
  });
  return lines.sort().join("");
}

/** Texts of all secret files, by the name of the secret. */
export function athensSecrets(athens: ResolvedAthens): Record<string, string> {
  const variables = secretVariables(athens);
  const key = variables["ATHENS_STORAGE_GCP_JSON_KEY"];
  if (key !== undefined) variables["ATHENS_STORAGE_GCP_JSON_KEY"] = Buffer.from(key).toString("base64");
  return {
    ...(Object.keys(variables).length > 0 ? { [ENVIRONMENT_SECRET]: athensEnvironment(variables) } : {}),
    ...secretTexts(athens),
  };
}
