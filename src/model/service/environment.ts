import { at, isFields, issuesOf, type CheckOptions } from "../check";
import { checkFields, line, matching, required, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parseEnvName, parsePath, type AbsolutePath } from "../names";
import { sortedByKey } from "../records";
import { godebugIssues } from "./godebug";

/** A file of the host with more variables; with a `-` in front it may be missing. */
export type EnvironmentFile = AbsolutePath | `-${AbsolutePath}`;

/** What OpenTelemetry's SDKs read from the environment. */
export interface TelemetryArgs {
  /** OTEL_SERVICE_NAME, which traces and metrics are found by. */
  readonly serviceName: string;
  /**
   * OTEL_RESOURCE_ATTRIBUTES, such as `{ "deployment.environment.name": "production" }`.
   * @default none
   * @see https://opentelemetry.io/docs/specs/semconv/resource/
   */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Variables that systemd sets for the service; a value in `env` would break what they are for. */
const SYSTEMD_OWN = [
  ...["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "MAINPID"],
  ...["CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM"],
];

/** Checks the variables of a service. Values that are not known are checked when they are. */
export function checkEnvironment(
  path: string,
  given: unknown,
  { isUnknown = () => false }: CheckOptions = {},
): Issue[] {
  if (!isFields(given)) {
    return [issue(path, given, 'variables by name, such as { LOG_LEVEL: "info" }, each of which may be an Output')];
  }
  const each = Object.entries(given).flatMap(([name, value]) => {
    const here = at(path, name);
    if (parseEnvName(here, name).issue !== undefined) return issuesOf(parseEnvName(here, name));
    if (SYSTEMD_OWN.includes(name)) return [issue(here, undefined, "another name: systemd sets this one")];
    return isUnknown(value) ? [] : checkValue(here, value);
  });
  return [...each, ...godebugIssues(path, given)];
}

/** systemd passes over an assignment with a control character in it. */
function checkValue(path: string, value: unknown): Issue[] {
  const good = typeof value === "string" && !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value);
  // The value is not shown: somebody may have put a password here.
  return good ? [] : [{ path, given: typeof value, wanted: "a text of one line; secrets belong into secrets" }];
}

export const checkEnvironmentFile: ValueCheck = (path, given) => {
  if (typeof given !== "string") return [issue(path, given, 'a file of the host: "/etc/default/x", "-/etc/default/x"')];
  return issuesOf(parsePath(path, given.replace(/^-/, "")));
};

export const checkTelemetry: ValueCheck = (path, given) =>
  checkFields(path, given, {
    serviceName: required('the service\'s name in traces, such as "buildcache"'),
    attributes: (here, attributes) => {
      if (!isFields(attributes)) return [issue(here, attributes, "attributes by name")];
      return Object.entries(attributes).flatMap(([name, value]) => [
        ...matching(/^[A-Za-z0-9_.-]+$/, "a name such as deployment.environment.name")(at(here, name), name),
        ...line("a text")(at(here, name), value),
      ]);
    },
  });

/** The variables of OpenTelemetry. Values are percent-encoded, as the W3C's baggage is. */
export function telemetryEnvironment(args: TelemetryArgs | undefined): Record<string, string> {
  if (args === undefined) return {};
  const attributes = Object.entries(sortedByKey(args.attributes ?? {})).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return {
    OTEL_SERVICE_NAME: args.serviceName,
    ...(attributes.length === 0 ? {} : { OTEL_RESOURCE_ATTRIBUTES: attributes.join(",") }),
  };
}
