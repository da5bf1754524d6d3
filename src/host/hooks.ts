/**
 * Hooks of a release, run inside its transaction on each host: a command on the host or on the operator's machine, or
 * an HTTP POST of the evidence. A command gets `GOFLEET_HOOK`, `GOFLEET_HOST`, `GOFLEET_COMPONENT`, `GOFLEET_FROM`,
 * `GOFLEET_TO` and, after a failure, `GOFLEET_REASON` in its environment.
 */
export interface Hooks {
  /** After staging and all downloads, before anything switches: drain, silence alerts. */
  readonly beforeSwitch?: Hook;
  /** After the probes passed and before the release counts as good; its failure rolls the host back. */
  readonly afterHealthy?: Hook;
  /** After a host refused or failed the release, whatever the reason, or a gate refused the host's wave. */
  readonly onFailure?: Hook;
  /** After a host is back on its old release. */
  readonly afterRollback?: Hook;
}

export type HookPoint = keyof Hooks;

export interface Hook {
  /** Where the command runs, or `http` for a POST. */
  readonly on: "host" | "operator" | "http";
  /** Program and arguments; no shell in between. */
  readonly command?: readonly string[];
  /** Where the evidence is posted as JSON. */
  readonly url?: string;
  /** Seconds. */
  readonly timeout: number;
  /** What a failing hook means: the operation fails, or a warning. */
  readonly failure: "fail" | "warn";
}

/** What a hook is told. */
export interface HookEvidence {
  readonly hook: HookPoint;
  readonly host: string;
  readonly component: string;
  readonly from: string;
  readonly to: string;
  readonly reason?: string;
}

/** The evidence as environment of a command. */
export function hookEnvironment(evidence: HookEvidence): Record<string, string> {
  return Object.fromEntries(Object.entries(evidence).map(([key, value]) => [`GOFLEET_${key.toUpperCase()}`, value]));
}
