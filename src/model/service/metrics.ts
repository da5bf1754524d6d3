import {
  ERROR_RATE,
  MAIN_METRIC,
  REQUESTS,
  SERVER_ERRORS,
  serverErrors,
  type RequestSelection,
} from "../request-queries";
import { sortedByKey } from "../records";
import { parseDuration, type Duration } from "../units";
import {
  isForProfiles,
  parseEndpoint,
  resolveSockets,
  type Endpoint,
  type SocketArgs,
  type TcpAddress,
} from "./listen";
import type { MainMetricArgs, MetricsArgs } from "./metrics-args";

/** {@link MetricsArgs} with every default in place; times in seconds. */
export interface Metrics {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly scheme: "http" | "https";
  readonly interval: number;
  readonly requests: ServiceRequests | undefined;
  readonly main: MainMetric | undefined;
  readonly goroutines: number | undefined;
  readonly schedulerLatency: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly runbook: string | undefined;
}

export interface ServiceRequests extends Omit<RequestSelection, "matchers"> {
  readonly floor: number;
  readonly errorRate: MetricLimit;
  readonly serverErrors: MetricLimit;
  readonly latency: (MetricLimit & { readonly metric: string; readonly quantile: number }) | undefined;
}

export interface MetricLimit {
  readonly above: number;
  readonly for: number;
}

export interface MainMetric {
  readonly query: string;
  readonly drop: number;
  readonly against: number;
  readonly for: number;
  readonly floor: number;
}

const INTERVAL = "15 s";
const LATENCY = { metric: "http_request_duration_seconds", quantile: 0.99, for: "5 min" } as const;

/** What else of the service's arguments says where its metrics could be. */
export interface Listening {
  readonly sockets?: Readonly<Record<string, SocketArgs>>;
  readonly listen?: readonly TcpAddress[];
}

/** Puts the defaults in place. The args must have passed `checkMetrics`. */
export function resolveMetrics(args: MetricsArgs, listening: Listening): Metrics {
  const { path = "/metrics", scheme = "http", interval = INTERVAL, goroutines, schedulerLatency, runbook } = args;
  const [endpoint] = args.listen === undefined ? listened(listening) : [parseEndpoint(args.listen)];
  if (endpoint === undefined) throw new Error("metrics that have passed their checks have an address");
  return {
    endpoint,
    path,
    scheme,
    interval: seconds(interval),
    requests: args.requests === false ? undefined : resolveRequests(args),
    main: args.main && resolveMain(args.main),
    goroutines,
    schedulerLatency: schedulerLatency === undefined ? undefined : seconds(schedulerLatency),
    labels: sortedByKey(args.labels ?? {}),
    runbook,
  };
}

/** The TCP addresses that the service listens on, but for those of profiles. */
export function listened({ sockets, listen = [] }: Listening): Endpoint[] {
  const open = resolveSockets(sockets).filter(({ name }) => !isForProfiles(name));
  return [...open.flatMap(({ tcp }) => tcp), ...listen.flatMap((each) => parseEndpoint(each) ?? [])];
}

function resolveRequests(args: MetricsArgs): ServiceRequests {
  const { requests, errors = serverErrors(), window, floor = REQUESTS.floor, latency } = args;
  return {
    metric: requests === undefined || requests === false ? REQUESTS.metric : requests,
    errors,
    window: window === undefined ? REQUESTS.window : seconds(window),
    floor,
    errorRate: limit({ ...ERROR_RATE, ...args.errorRate }),
    serverErrors: limit({ ...SERVER_ERRORS, ...args.serverErrors }),
    latency: latency && {
      metric: latency.metric ?? LATENCY.metric,
      quantile: latency.quantile ?? LATENCY.quantile,
      above: seconds(latency.above),
      for: seconds(latency.for ?? LATENCY.for),
    },
  };
}

function resolveMain(args: MainMetricArgs): MainMetric {
  const { query, drop, against, for: long, floor } = { ...MAIN_METRIC, ...args };
  return { query, drop, against: seconds(against), for: seconds(long), floor };
}

function limit({ above, for: long }: { readonly above: number; readonly for: Duration }): MetricLimit {
  return { above, for: seconds(long) };
}

function seconds(given: Duration): number {
  return parseDuration("", given).value ?? NaN;
}
