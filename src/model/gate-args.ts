import type { GateAfter } from "./gates";
import type { Duration } from "./units";

/** What every gate takes. */
export interface GateCommonArgs {
  /**
   * Names the gate in messages and the state; each gate of a rollout has its own.
   * @default the gate's kind
   */
  readonly name?: string;
  /**
   * `canary`: after the first wave; `each`: after each wave; `last`: once, when every host has the release.
   * @default "canary"; `serverErrorGate` "each", `mainMetricGate` "last"
   */
  readonly after?: GateAfter;
}

/** Credentials of a gate's requests, at most one kind; secrets in the state. */
export interface GateCredentials<Secret> {
  /**
   * Sent as `Authorization: Bearer …`.
   * @default none
   */
  readonly bearerToken?: Secret;
  /**
   * Sent as HTTP Basic authentication.
   * @default none
   */
  readonly basicAuth?: { readonly username: string; readonly password: Secret };
}

/** A URL that must give good answers over a time. */
export interface HttpGateArgs<Secret = string> extends GateCommonArgs, GateCredentials<Secret> {
  /**
   * An http or https URL. With `{address}` (without user and port; `127.0.0.1` for `local`) or `{host}` (the key in
   * the pool) in it, it is asked for each host of the wave. Redirects are answers of their own, not followed.
   */
  readonly url: string;
  /**
   * How long the answers have to be good.
   * @default "1 min"
   */
  readonly for?: Duration;
  /**
   * Between two answers of one URL.
   * @default "5 s"
   */
  readonly interval?: Duration;
  /**
   * For one answer.
   * @default "5 s"
   */
  readonly timeout?: Duration;
  /**
   * Statuses that are good.
   * @default every 2xx
   */
  readonly status?: number | readonly number[];
  /**
   * A regular expression that the first 64 KiB of a good answer's body match.
   * @default any body
   */
  readonly body?: RegExp | string;
  /**
   * Answers of one URL that may be bad.
   * @default 0
   */
  readonly failures?: number;
}

/** What every gate that asks a Prometheus server takes. */
export interface PrometheusServerArgs<Secret = string> extends GateCommonArgs, GateCredentials<Secret> {
  /** Base URL of the HTTP API, such as `https://prometheus.corp.example`. */
  readonly server: string;
  /**
   * Between two queries.
   * @default "15 s"
   */
  readonly interval?: Duration;
  /**
   * For one query.
   * @default "10 s"
   */
  readonly timeout?: Duration;
  /**
   * The gate fails if it could not judge by then, for lack of traffic or because a bad time began late.
   * @default "30 min", or three times `for` where that is longer
   */
  readonly deadline?: Duration;
  /**
   * Queries in a row that may give no value.
   * @default 2
   */
  readonly failures?: number;
}

/**
 * A query whose one value must stay on the good side of a threshold. See
 * https://prometheus.io/docs/prometheus/latest/querying/api/.
 */
export interface PrometheusGateArgs<Secret = string> extends PrometheusServerArgs<Secret> {
  /**
   * PromQL that gives one value: a scalar, or a vector of one sample. `{hosts}` and `{addresses}` stand for those of the
   * wave, as an alternation: `instance=~"({addresses}):8080"`.
   */
  readonly query: string;
  /** Values above it are bad; give this or `below`. */
  readonly above?: number;
  /** Values below it are bad; give this or `above`. */
  readonly below?: number;
  /**
   * How long the value is watched.
   * @default "5 min"
   */
  readonly for?: Duration;
  /**
   * `any`: one bad value fails the gate. `sustained`: it fails when every value over `for` was bad, as an alert does.
   * @default "any"
   */
  readonly breach?: "any" | "sustained";
  /**
   * Judge the change against the same query so long ago: with `below: -0.3`, 30 % less than then is bad.
   * @default none: the value itself is judged
   */
  readonly against?: Duration;
  /**
   * How much traffic a value needs to say something. With `against`, the traffic of that time counts: an outage now
   * must not hide itself.
   * @default none
   */
  readonly traffic?: {
    readonly query: string;
    readonly floor: number;
    /**
     * Below the floor: counts as good, does not count (the time stands still, at most to the deadline), or as bad.
     * @default "wait"
     */
    readonly below?: "pass" | "wait" | "fail";
  };
  /**
   * `%`: values are ratios and shown as percentages.
   * @default values as they are
   */
  readonly unit?: "%";
}

/** Which requests of a service a ready-made gate counts. */
export interface RequestGateArgs<Secret = string> extends PrometheusServerArgs<Secret> {
  /**
   * Matchers of the requests, without braces: `job="order-api"`, or those of the wave's hosts alone:
   * `job="order-api",instance=~"({addresses}):8080"`.
   */
  readonly requests: string;
  /**
   * The counter of requests.
   * @default "http_requests_total"
   */
  readonly metric?: string;
  /**
   * The label that holds the HTTP status.
   * @default "code"
   */
  readonly statusLabel?: string;
  /**
   * Range of the rates; at least two scrapes long.
   * @default "2 min"
   */
  readonly window?: Duration;
  /**
   * The ratio that may not be exceeded, 0 to 1.
   * @default 0.005; `serverErrorGate` 0.05
   */
  readonly above?: number;
  /**
   * How long it has to be exceeded in a row.
   * @default "5 min"; `serverErrorGate` "2 min"
   */
  readonly for?: Duration;
  /**
   * Requests per second below which the ratio says nothing.
   * @default 1
   */
  readonly floor?: number;
  /**
   * Below the floor: counts as good, does not count (at most to the deadline), or as bad.
   * @default "wait"
   */
  readonly belowFloor?: "pass" | "wait" | "fail";
}

/** The one metric that says whether a service does its work, compared with the same time before. */
export interface MainMetricGateArgs<Secret = string> extends PrometheusServerArgs<Secret> {
  /** The metric as a rate: `sum(rate(orders_total[5m]))`. */
  readonly query: string;
  /**
   * The loss that is too much, as a ratio: 0.3 is 30 % less.
   * @default 0.3
   */
  readonly drop?: number;
  /**
   * The time to compare with.
   * @default "7 d"
   */
  readonly against?: Duration;
  /**
   * How long the loss has to last.
   * @default "5 min"
   */
  readonly for?: Duration;
  /** The metric's value then, in its own unit, below which the comparison says nothing. */
  readonly floor: number;
  /**
   * Below the floor: counts as good, does not count (at most to the deadline), or as bad.
   * @default "pass"
   */
  readonly belowFloor?: "pass" | "wait" | "fail";
}

/** A command that ends with 0 where the release is good enough. */
export interface CommandGateArgs extends GateCommonArgs {
  /**
   * Program and arguments, run on the machine that runs Pulumi, no shell in between. Its environment has `GOFLEET_GATE`,
   * `GOFLEET_COMPONENT`, `GOFLEET_FROM`, `GOFLEET_TO`, `GOFLEET_WAVE`, `GOFLEET_WAVES`, `GOFLEET_HOSTS` and
   * `GOFLEET_ADDRESSES` (keys and addresses of the wave, with blanks between).
   */
  readonly command: readonly string[];
  /**
   * Longest that it may run; it is killed then, and the gate has failed.
   * @default "10 min"
   */
  readonly timeout?: Duration;
}

/** A person's word, asked for once every other gate of the wave has passed. */
export interface ApprovalGateArgs<Secret = string> extends GateCommonArgs, GateCredentials<Secret> {
  /**
   * Where the word comes from. `file` (relative to the Pulumi project) and `url` need `{release}` in them, so that an
   * approval is one release's, and may have `{wave}`; their text begins with `approve` or `reject`. `command` gets the
   * environment of a command gate: exit code 0 approves, 1 is not yet, all others reject.
   */
  readonly by: { readonly file: string } | { readonly url: string } | { readonly command: readonly string[] };
  /**
   * Without a word by then the gate fails.
   * @default "1 h"
   */
  readonly deadline?: Duration;
  /**
   * Between two looks.
   * @default "5 s"
   */
  readonly interval?: Duration;
}
