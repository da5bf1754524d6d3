import type { Issue } from "../model/issues";

/** A resource as a rule sees it: its inputs as plain data, {@link UNKNOWN} where a value is not known yet. */
export interface PolicyResource {
  /** Type token: `gofleet:index:GoToolchainHost`, `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly protect: boolean;
  readonly props: Readonly<Record<string, unknown>>;
  /**
   * Paths of the inputs that are secrets, everything below them included; undefined where the engine did not tell (it
   * does so only for a policy that may remediate).
   */
  readonly secrets?: ReadonlySet<string>;
}

/** Stands for a value that is known only after the update; rules skip it, and see it again when it is known. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** What a rule found: the input's path, what was given (never a secret), and what would do. */
export interface Violation extends Issue {
  /** What is wrong, apart from where. Found again in a child of the resource, it is reported once, on the parent. */
  readonly subject?: string;
}

/** What a violation means: the update is refused, or a remark. */
export type Level = "mandatory" | "advisory";

/** A policy's rank in a report. */
export type Severity = "low" | "medium" | "high" | "critical";

/** A setting of a policy, as JSON schema. */
export interface SettingSchema {
  readonly type: "string" | "number" | "integer" | "boolean" | "array";
  readonly description: string;
  readonly items?: { readonly type: "string" | "integer" };
  readonly minimum?: number;
}

/** What every rule says of itself. */
export interface RuleInfo {
  /** The policy's name, as in a policy config file. */
  readonly name: string;
  /** One sentence: what it asks for. */
  readonly description: string;
  readonly level: Level;
  readonly severity: Severity;
  /** What to do about a violation. */
  readonly remediation: string;
  /** Its settings with their defaults, each with a schema in `settings`. */
  readonly defaults: object;
  readonly settings: Readonly<Record<string, SettingSchema>>;
  /** Whether it needs to know which inputs are secrets. */
  readonly readsSecrets?: boolean;
}

/** A rule about one resource at a time: a pure function of it. */
export interface Rule extends RuleInfo {
  /** @param config settings other than their defaults, checked by their schemas */
  check(resource: PolicyResource, config?: object): Violation[];
}

/** Makes a rule; the type of its settings follows from their defaults. */
export function rule<Config extends object>({
  check,
  ...info
}: RuleInfo & {
  readonly defaults: Config;
  readonly settings: { readonly [Key in keyof Config]: SettingSchema };
  check(resource: PolicyResource, config: Config): Violation[];
}): Rule {
  return { ...info, check: (resource, config) => check(resource, { ...info.defaults, ...config }) };
}
