import type { Duration } from "../units";
import type { TcpAddress } from "./listen";

/**
 * Where the service tells Prometheus of itself, what its metrics are called, and which values are bad. Names that are not
 * given are those of Prometheus' Go client.
 *
 * @see https://pkg.go.dev/github.com/prometheus/client_golang/prometheus/promhttp
 */
export interface MetricsArgs {
  /**
   * The address that serves them. One on the loopback interface is for a Prometheus, or an agent that sends on, on each
   * host.
   * @default the one TCP address in `sockets` and `listen`
   */
  readonly listen?: TcpAddress;
  /**
   * The path that serves them.
   * @default "/metrics"
   */
  readonly path?: string;
  /**
   * How they are asked for.
   * @default "http"
   */
  readonly scheme?: "http" | "https";
  /**
   * Between two scrapes.
   * @default "15 s"
   */
  readonly interval?: Duration;
  /**
   * The counter of requests; `false`: the service has none.
   * @default "http_requests_total"
   */
  readonly requests?: string | false;
  /**
   * Matchers of the requests that failed, without braces: `grpc_code=~"Internal|Unavailable"`.
   * @default `code=~"5.."`
   */
  readonly errors?: string;
  /**
   * Range of the rates; at least two scrapes long.
   * @default "2 min"
   */
  readonly window?: Duration;
  /**
   * Requests per second of all hosts together, below which a ratio or a latency says nothing.
   * @default 1
   */
  readonly floor?: number;
  /**
   * The share of failed requests that a person should see.
   * @default { above: 0.005, for: "5 min" }
   */
  readonly errorRate?: RatioLimitArgs;
  /**
   * The share of failed requests that somebody must look at now.
   * @default { above: 0.05, for: "2 min" }
   */
  readonly serverErrors?: RatioLimitArgs;
  /**
   * How long requests may take.
   * @default no alert
   */
  readonly latency?: LatencyArgs;
  /**
   * What the service is there for, against the same time last week.
   * @default no alert
   */
  readonly main?: MainMetricArgs;
  /**
   * Goroutines of one host that are too many.
   * @default no alert
   */
  readonly goroutines?: number;
  /**
   * How long goroutines that could run may wait for a processor, at the 99th percentile. Needs the scheduler's metrics:
   * `collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsScheduler)`.
   * @default no alert
   */
  readonly schedulerLatency?: Duration;
  /**
   * Labels of every alert, for Alertmanager's routes: `{ team: "storage" }`.
   * @default none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * What to do about an alert: a URL, the annotation `runbook_url`.
   * @default no such annotation
   */
  readonly runbook?: string;
}

/** A share, 0 to 1, and how long it must be exceeded. */
export interface RatioLimitArgs {
  /**
   * The share that is still good.
   * @default that of the argument
   */
  readonly above?: number;
  /**
   * How long it must be exceeded in a row.
   * @default that of the argument
   */
  readonly for?: Duration;
}

/** How long requests may take, by a histogram. */
export interface LatencyArgs {
  /** The time that is too long. */
  readonly above: Duration;
  /**
   * The histogram, without `_bucket`; in seconds.
   * @default "http_request_duration_seconds"
   */
  readonly metric?: string;
  /**
   * The share of the requests that must be faster.
   * @default 0.99
   */
  readonly quantile?: number;
  /**
   * How long it must be exceeded in a row.
   * @default "5 min"
   */
  readonly for?: Duration;
}

/** A metric that tells whether the service does what it is there for, and how much of it may be lost. */
export interface MainMetricArgs {
  /** PromQL that gives one value: `sum(rate(orders_total[5m]))`. */
  readonly query: string;
  /**
   * The loss that is too much, as a ratio: 0.3 is 30 % less.
   * @default 0.3
   */
  readonly drop?: number;
  /**
   * The time to compare with; the rules must have run since then.
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
}
