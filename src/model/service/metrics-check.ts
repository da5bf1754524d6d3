import { at, isFields, type Fields } from "../check";
import {
  checkFields,
  line,
  matching,
  oneOf,
  parsed,
  required,
  url,
  whole,
  type FieldSpecs,
  type ValueCheck,
} from "../field-checks";
import { atLeastNone, between, duration, promql, secondsOf } from "../gate-fields";
import { issue, type Issue } from "../issues";
import { REQUESTS } from "../request-queries";
import { parseDuration } from "../units";
import { parseEndpoint } from "./listen";
import { listened, type Listening } from "./metrics";

const METRIC = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Labels of an alert that are set here. */
const TAKEN = ["alertname", "component", "severity"];

/** Fields that only requests have. */
const OF_REQUESTS = ["errors", "window", "floor", "errorRate", "serverErrors", "latency"];

const limit: ValueCheck = (path, given) => checkFields(path, given, { above: between(0, 1), for: duration });

const labels: ValueCheck = (path, given) => {
  if (!isFields(given)) return [issue(path, given, 'labels by name, such as { team: "storage" }')];
  return Object.entries(given).flatMap(([name, value]) => {
    const here = at(path, name);
    if (!LABEL.test(name)) return [issue(here, name, "a label's name: letters, digits and '_'")];
    if (TAKEN.includes(name)) return [issue(here, value, `another label; ${TAKEN.join(", ")} are set already`)];
    return literal("a label's value")(here, value);
  });
};

/** Prometheus expands templates in labels and annotations. */
function literal(wanted: string): ValueCheck {
  return (path, given) =>
    typeof given === "string" && given.includes("{{")
      ? [issue(path, given, `${wanted} without "{{"`)]
      : line(wanted)(path, given);
}

const MATCHER = String.raw`[A-Za-z_]\w*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"`;

const matchers = matching(
  new RegExp(`^${MATCHER}(?:\\s*,\\s*${MATCHER})*$`),
  'matchers without braces, such as code=~"5.."',
);

const FIELDS: FieldSpecs = {
  listen: (path, given) =>
    parseEndpoint(given) === undefined
      ? [issue(path, given, '"127.0.0.1:9100", "[::1]:9100", or ":9100" for every address')]
      : [],
  path: matching(/^\/[A-Za-z0-9/._~-]*$/, 'a path such as "/metrics"'),
  scheme: oneOf("http", "https"),
  interval: duration,
  requests: (path, given) =>
    given === false
      ? []
      : matching(METRIC, "the name of a counter, or false for a service without requests")(path, given),
  errors: matchers,
  window: duration,
  floor: atLeastNone,
  errorRate: limit,
  serverErrors: limit,
  latency: (path, given) =>
    checkFields(path, given, {
      above: required('the time that is too long, such as "500 ms"', parsed(parseDuration)),
      metric: matching(METRIC, "the name of a histogram, without _bucket"),
      quantile: between(0, 1),
      for: duration,
    }),
  main: (path, given) =>
    checkFields(path, given, {
      query: required("the metric as PromQL", promql),
      drop: between(0, 1),
      against: duration,
      for: duration,
      floor: required("the value below which the comparison says nothing", atLeastNone),
    }),
  goroutines: whole(1, 1_000_000_000),
  schedulerLatency: parsed(parseDuration),
  labels,
  runbook: (path, given) => [...literal("a URL")(path, given), ...url("an http or https URL")(path, given)],
};

/** Checks `metrics`; `service` are the service's arguments where they are good: an address may be found in them. */
export function checkMetrics(path: string, given: unknown, service: Listening | undefined): Issue[] {
  const issues = checkFields(path, given, FIELDS);
  return issues.length > 0 || !isFields(given)
    ? issues
    : [...checkAddress(path, given, service), ...checkWindow(path, given), ...checkRequests(path, given)];
}

/** Without an address of its own there must be one, and no other, that the service listens on. */
function checkAddress(path: string, { listen }: Fields, service: Listening | undefined): Issue[] {
  if (listen !== undefined || service === undefined) return [];
  const found = listened(service);
  if (found.length === 1) return [];
  const which = found.length === 0 ? "the service is not said to listen on any" : `the service has ${found.length}`;
  return [issue(at(path, "listen"), undefined, `the address of the metrics, such as ":7070": ${which}`)];
}

function checkWindow(path: string, { window, interval }: Fields): Issue[] {
  const least = 2 * secondsOf(interval, 15);
  if (secondsOf(window, REQUESTS.window) >= least) return [];
  return [issue(at(path, "window"), window, `at least two scrapes, "${least} s"`)];
}

function checkRequests(path: string, given: Fields): Issue[] {
  if (given["requests"] !== false) return [];
  return OF_REQUESTS.filter((key) => given[key] !== undefined).map((key) =>
    issue(at(path, key), given[key], "no such key where requests is false"),
  );
}
