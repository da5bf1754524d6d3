import {
  PolicyPack,
  type PolicyPackConfig,
  type PolicyConfigSchema,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
} from "@pulumi/policy";
import { sentence } from "../model/issues";
import { HOST_RELEASE } from "./read/fleet";
import { readInputs } from "./read/inputs";
import type { PolicyResource, Rule, RuleInfo, Violation } from "./rule";
import { RULES } from "./rules";
import { checkIncident, incident, type IncidentConfig } from "./rules/incident";

/** Inputs of the release resource that are secrets by their nature: no rule reads them, no message can quote them. */
const KEPT: readonly string[] = ["secrets", "passwords", "gateSecrets", "key"];

/**
 * The rules as policies, for a pack that has others beside them:
 * `new PolicyPack("ours", { policies: [...fleetPolicies(), …] })`.
 */
export function fleetPolicies(): (ResourceValidationPolicy | StackValidationPolicy)[] {
  const seen: Seen = { reported: new Map(), secrets: new Map() };
  return [...RULES.map((each) => resourcePolicy(each, seen)), incidentPolicy()];
}

/**
 * Serves the rules as a policy pack: all that its `index.js` says.
 *
 * ```js
 * require("gofleet/policy").fleetPolicyPack();
 * ```
 * @param config levels and settings by policy, where a `--policy-pack-config` file says nothing else
 * @see https://www.pulumi.com/docs/iac/using-pulumi/crossguard/
 */
export function fleetPolicyPack(name = "gofleet", config?: PolicyPackConfig): PolicyPack {
  const description = "Go build fleets: verified modules and toolchains, confinement, secrets, budgets";
  return new PolicyPack(name, { policies: fleetPolicies(), description, displayName: "gofleet" }, config);
}

/** What the policies of one run know of resources, by URN. */
interface Seen {
  /** What was said of a resource, as `rule subject`. */
  readonly reported: Map<string, Set<string>>;
  /** Paths of its secret inputs, where the engine told them. */
  readonly secrets: Map<string, ReadonlySet<string>>;
}

function resourcePolicy(rule: Rule, { reported, secrets }: Seen): ResourceValidationPolicy {
  const policy: ResourceValidationPolicy = {
    ...policyOf(rule),
    // The host tells which inputs are secrets only to a policy that may remediate; a violation is mandatory all the same.
    enforcementLevel: rule.readsSecrets === true ? "remediate" : rule.level,
    validateResource: (args, report) => {
      const hidden = secrets.get(args.urn);
      const found = rule.check(resourceOf(args, hidden), args.getConfig());
      for (const violation of newOnes(rule.name, args, found, reported))
        report(message(masked(violation, hidden), rule));
    },
  };
  if (rule.readsSecrets === true) {
    policy.remediateResource = ({ urn, props }) => void secrets.set(urn, readInputs(props).secrets);
  }
  return policy;
}

function resourceOf(args: ResourceValidationArgs, secrets: ReadonlySet<string> | undefined): PolicyResource {
  const { type, name, urn, opts } = args;
  const { props } = readInputs(args.props);
  const open =
    type === HOST_RELEASE ? Object.fromEntries(Object.entries(props).filter(([key]) => !KEPT.includes(key))) : props;
  return { type, name, urn, protect: opts.protect, props: open, ...(secrets && { secrets }) };
}

/** A rule sees secrets in clear, as the host hands them over: what was given there is not repeated. */
function masked(violation: Violation, secrets: ReadonlySet<string> = new Set()): Violation {
  const { path } = violation;
  const inside = [...secrets].some((secret) => path.startsWith(secret) && /^($|[.[ ])/.test(path.slice(secret.length)));
  return inside && violation.given !== undefined ? { ...violation, given: "a secret (not shown)" } : violation;
}

/** Leaves out what was said of the resource's parent: a component's settings come again in the release it makes. */
function newOnes(
  rule: string,
  { urn, opts }: ResourceValidationArgs,
  found: readonly Violation[],
  reported: Map<string, Set<string>>,
): readonly Violation[] {
  const key = ({ subject = "" }: Violation): string => `${rule} ${subject}`;
  const before = reported.get(opts.parent ?? "");
  const subjects = found.filter(({ subject }) => subject !== undefined).map(key);
  if (subjects.length > 0) reported.set(urn, new Set([...(reported.get(urn) ?? []), ...subjects]));
  return found.filter((each) => each.subject === undefined || before?.has(key(each)) !== true);
}

function incidentPolicy(): StackValidationPolicy {
  return {
    ...policyOf(incident),
    validateStack: ({ stackTags, getConfig }, report) => {
      const config = { ...incident.defaults, ...getConfig<Partial<IncidentConfig>>() };
      const given = stackTags.get(config.tag) ?? process.env[config.variable];
      for (const violation of checkIncident(given, config)) report(message(violation, incident));
    },
  };
}

function policyOf(rule: RuleInfo): Omit<ResourceValidationPolicy, "validateResource"> {
  const { name, description, level, severity, remediation } = rule;
  return {
    name,
    description,
    enforcementLevel: level,
    severity,
    remediationSteps: remediation,
    configSchema: schemaOf(rule),
  };
}

function schemaOf({ settings, defaults }: RuleInfo): PolicyConfigSchema {
  const known = defaults as Readonly<Record<string, string | number | boolean | object>>;
  const properties = Object.entries(settings).map(
    ([key, schema]) => [key, { ...schema, default: known[key] }] as const,
  );
  return { properties: Object.fromEntries(properties) as PolicyConfigSchema["properties"] };
}

function message(violation: Violation, { remediation }: RuleInfo): string {
  return `${violation.path}: ${sentence(violation)}\nRemedy: ${remediation}`;
}
