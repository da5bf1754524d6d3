import type { RuleInfo, Violation } from "../rule";

/** What the incident rule can be told. */
export interface IncidentConfig {
  readonly required: boolean;
  readonly tag: string;
  readonly variable: string;
  readonly pattern: string;
}

/** A stack whose changes must each name what they answer to. */
export const incident: RuleInfo & { readonly defaults: IncidentConfig } = {
  name: "change-cites-incident",
  description: "Where it is asked for, a change names the incident or review it comes from.",
  level: "mandatory",
  severity: "low",
  remediation:
    "Set the stack's tag (`pulumi stack tag set gofleet:incident INC-123`), or GOFLEET_INCIDENT where Pulumi runs.",
  defaults: {
    required: false,
    tag: "gofleet:incident",
    variable: "GOFLEET_INCIDENT",
    pattern: "^[A-Z][A-Z0-9]+-\\d+$",
  },
  settings: {
    required: { type: "boolean", description: "Whether this stack asks for it." },
    tag: { type: "string", description: "The stack tag that names the incident; backends without tags have none." },
    variable: { type: "string", description: "The environment variable that names it where the tag does not." },
    pattern: { type: "string", description: "Regular expression for an incident's name." },
  },
};

/** Judges what the tag or the variable says; undefined where neither is set. */
export function checkIncident(
  given: string | undefined,
  { required, pattern, tag, variable }: IncidentConfig,
): Violation[] {
  if (!required || (given !== undefined && new RegExp(pattern).test(given))) return [];
  const wanted = `an incident that matches ${pattern}, in the stack tag ${tag} or in ${variable}`;
  return [{ path: "stack", given: given === undefined ? undefined : JSON.stringify(given), wanted }];
}
