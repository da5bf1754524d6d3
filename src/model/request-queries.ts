/** PromQL about a service's requests: gates of a rollout and alerting rules ask the same, with the same limits. */
import type { Duration } from "./units";

/** Which requests are counted, and over which time. */
export interface RequestSelection {
  /** A counter. */
  readonly metric: string;
  /** Matchers of all of them, without braces. */
  readonly matchers: string;
  /** Matchers of those that failed, without braces. */
  readonly errors: string;
  /** Seconds that the rates are of. */
  readonly window: number;
}

/** A value that is bad above `above` once it has lasted for `for`. */
export interface Limit {
  readonly above: number;
  readonly for: Duration;
}

/** What stops a canary. */
export const ERROR_RATE: Limit = { above: 0.005, for: "5 min" };

/** What stops anything. */
export const SERVER_ERRORS: Limit = { above: 0.05, for: "2 min" };

/** A main metric against the same time last week. */
export const MAIN_METRIC = { drop: 0.3, against: "7 d", for: "5 min" } as const;

export const REQUESTS = { metric: "http_requests_total", window: 120, floor: 1 } as const;

/** The answers whose status is 5xx, by the label that holds it. */
export function serverErrors(statusLabel = "code"): string {
  return `${statusLabel}=~"5.."`;
}

/** Requests per second: a scalar's worth, 0 where there are none. */
export function requestRate(requests: RequestSelection): string {
  return orNone(all(requests));
}

/** The share that failed: a ratio of sums, so that a host with little traffic counts little. */
export function errorRatio(requests: RequestSelection): string {
  // Without any failure there is no such series, and nothing divided by something would be nothing.
  return `(${orNone(`sum(${failed(requests)})`)}) / ${all(requests)}`;
}

/** {@link requestRate} of each instance. */
export function requestRateByInstance(requests: RequestSelection): string {
  return `sum by (instance) (${total(requests)})`;
}

/** {@link errorRatio} of each instance. */
export function errorRatioByInstance(requests: RequestSelection): string {
  const each = requestRateByInstance(requests);
  return `(sum by (instance) (${failed(requests)}) or 0 * ${each}) / ${each}`;
}

/** The one value of an expression, 0 where there is none: a metric that has vanished has lost everything. */
export function orNone(promql: string): string {
  return `${promql} or vector(0)`;
}

function all(requests: RequestSelection): string {
  return `sum(${total(requests)})`;
}

function total({ metric, matchers, window }: RequestSelection): string {
  return `rate(${metric}{${matchers}}[${window}s])`;
}

function failed({ metric, matchers, errors, window }: RequestSelection): string {
  return `rate(${metric}{${matchers},${errors}}[${window}s])`;
}
