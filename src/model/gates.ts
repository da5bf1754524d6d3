/**
 * Gates of a rollout as they stand in the state: what decides, after a wave, whether the next one may begin. Times are
 * seconds. Credentials are not here: they are secrets of the resource, by the gate's name.
 */
export type Gate = HttpGate | PrometheusGate | CommandGate | ApprovalGate;

/**
 * When a gate is asked: after the first wave (`canary`), after each wave (`each`), or once, when every host has the
 * release (`last`).
 */
export type GateAfter = "canary" | "each" | "last";

interface GateBase {
  readonly name: string;
  readonly after: GateAfter;
}

/** Answers of a URL over a time. */
export interface HttpGate extends GateBase {
  readonly kind: "http";
  /** May hold `{host}` (a host's key) or `{address}`: then it is asked for each host of the wave. */
  readonly url: string;
  readonly for: number;
  readonly interval: number;
  /** For one answer. */
  readonly timeout: number;
  /** Statuses that are good; without them every 2xx. */
  readonly status?: readonly number[];
  /** A regular expression that a good answer's body matches. */
  readonly body?: string;
  /** Answers of one URL that may be bad. */
  readonly failures: number;
  readonly auth?: GateAuth;
}

/** A value of a Prometheus server over a time. */
export interface PrometheusGate extends GateBase {
  readonly kind: "prometheus";
  /** Base URL of the HTTP API, with the path prefix if there is one. */
  readonly server: string;
  /** May hold `{hosts}` and `{addresses}`: the wave's, as an alternation for a regular expression in a matcher. */
  readonly query: string;
  readonly threshold: number;
  /** Which side of the threshold is bad. */
  readonly bad: "above" | "below";
  /** A bad value fails the gate at once (`any`), or when every value over `for` was bad (`sustained`). */
  readonly breach: "any" | "sustained";
  readonly for: number;
  readonly interval: number;
  readonly timeout: number;
  /** The gate fails if it could not judge by then. */
  readonly deadline: number;
  /** Queries in a row that may give no value. */
  readonly failures: number;
  /** Judge the change against the value so many seconds ago: −0.3 is 30 % less. */
  readonly against?: number;
  readonly traffic?: TrafficFloor;
  /** `%`: values are ratios, shown as percentages. */
  readonly unit?: "%";
  readonly auth?: GateAuth;
}

/** Below how much traffic a value says nothing. */
export interface TrafficFloor {
  /** PromQL that gives the traffic as one value. */
  readonly query: string;
  /** In the query's own unit. */
  readonly floor: number;
  /** Counts as good, does not count (the time stands still), or counts as bad. */
  readonly below: "pass" | "wait" | "fail";
}

/** A command on the operator's machine. */
export interface CommandGate extends GateBase {
  readonly kind: "command";
  /** Program and arguments; no shell in between. */
  readonly command: readonly string[];
  readonly timeout: number;
}

/** A person's word, asked for once all other gates have passed. */
export interface ApprovalGate extends GateBase {
  readonly kind: "approval";
  readonly by: ApprovalSource;
  readonly deadline: number;
  readonly interval: number;
  readonly auth?: GateAuth;
}

/**
 * Where the word comes from. A file or the body of a URL that begins with `approve` or `reject`, `{release}` in the name;
 * or a command: exit code 0 approves, 1 is not yet, all others reject.
 */
export type ApprovalSource =
  { readonly file: string } | { readonly url: string } | { readonly command: readonly string[] };

/** How a request is authorised; the token or the password is the gate's secret. */
export type GateAuth = { readonly kind: "bearer" } | { readonly kind: "basic"; readonly username: string };
