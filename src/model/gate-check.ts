/** Gates as a program gives them, checked, and in the form of the state. Issues have paths below the gate. */
import { hasControlCharacter, isFields, type Fields } from "./check";
import { checkFields, oneOf, required, whole, type FieldSpecs } from "./field-checks";
import type { ApprovalGateArgs, CommandGateArgs, HttpGateArgs, PrometheusGateArgs } from "./gate-args";
import {
  atLeastNone,
  authOf,
  checkCredentials,
  command,
  COMMON,
  CREDENTIALS,
  duration,
  finite,
  pattern,
  promql,
  secondsOf,
  status,
  templateUrl,
  unknownPlaceholders,
} from "./gate-fields";
import type { ApprovalGate, ApprovalSource, CommandGate, Gate, GateAfter, HttpGate, PrometheusGate } from "./gates";
import { issue, type Issue } from "./issues";

/** A gate, and what is wrong with what it was made from; with issues it is not to be used. */
export interface CheckedGate<G extends Gate = Gate> {
  readonly gate: G;
  readonly issues: readonly Issue[];
}

const MINUTE = 60;

const HTTP: FieldSpecs = {
  url: required(
    "an http or https URL",
    templateUrl('an http or https URL, such as "http://{address}:8080/healthz"', "host", "address"),
  ),
  for: duration,
  interval: duration,
  timeout: duration,
  status,
  body: pattern,
  failures: whole(0, 1000),
};

export function checkHttpGate(made: HttpGateArgs<unknown>): CheckedGate<HttpGate> {
  const given = fields(made);
  const args = given as unknown as HttpGateArgs<unknown>;
  const time = { for: secondsOf(given["for"], MINUTE), interval: secondsOf(given["interval"], 5) };
  const { body, status: statuses } = args;
  return {
    gate: {
      kind: "http",
      ...common(given, "http"),
      url: args.url,
      ...time,
      timeout: secondsOf(given["timeout"], 5),
      ...(statuses === undefined
        ? {}
        : { status: typeof statuses === "number" ? [statuses] : list<number>(statuses).slice().sort() }),
      ...(body === undefined ? {} : { body: body instanceof RegExp ? body.source : body }),
      failures: args.failures ?? 0,
      ...authOf(given),
    },
    issues: [
      ...checkFields("", made, { ...COMMON, ...CREDENTIALS, ...HTTP }),
      ...checkCredentials(given),
      ...checkInterval(given, time),
    ],
  };
}

const PROMETHEUS: FieldSpecs = {
  server: required(
    "a Prometheus server's URL",
    templateUrl('an http or https URL, such as "https://prometheus.corp.example"'),
  ),
  query: { required: "a PromQL expression", check: promql },
  above: finite,
  below: finite,
  for: duration,
  interval: duration,
  timeout: duration,
  deadline: duration,
  failures: whole(0, 1000),
  breach: oneOf("any", "sustained"),
  against: duration,
  unit: oneOf("%"),
  traffic: (path, given) =>
    checkFields(path, given, {
      query: { required: "a PromQL expression", check: promql },
      floor: { required: "the least traffic that says something", check: atLeastNone },
      below: oneOf("pass", "wait", "fail"),
    }),
};

export function checkPrometheusGate(
  made: PrometheusGateArgs<unknown>,
  kind = "prometheus",
): CheckedGate<PrometheusGate> {
  const given = fields(made);
  const args = given as unknown as PrometheusGateArgs<unknown>;
  const time = { for: secondsOf(given["for"], 5 * MINUTE), interval: secondsOf(given["interval"], 15) };
  const deadline = secondsOf(given["deadline"], Math.max(30 * MINUTE, 3 * time.for));
  const { above, below, traffic } = args;
  const issues = [
    ...checkFields("", made, { ...COMMON, ...CREDENTIALS, ...PROMETHEUS }),
    ...checkCredentials(given),
    ...checkInterval(given, time),
  ];
  if ((above === undefined) === (below === undefined)) {
    issues.push({
      path: "above",
      given: above === undefined ? undefined : "also below",
      wanted: "one of above and below",
    });
  }
  if (deadline < time.for) issues.push(issue("deadline", given["deadline"], "at least as long as for"));
  return {
    gate: {
      kind: "prometheus",
      ...common(given, kind),
      server: String(args.server).replace(/\/+$/, ""),
      query: args.query,
      threshold: above ?? below ?? 0,
      bad: above === undefined ? "below" : "above",
      breach: args.breach ?? "any",
      ...time,
      timeout: secondsOf(given["timeout"], 10),
      deadline,
      failures: args.failures ?? 2,
      ...(args.against === undefined ? {} : { against: secondsOf(args.against, 0) }),
      ...(!isFields(traffic)
        ? {}
        : { traffic: { query: traffic.query, floor: traffic.floor, below: traffic.below ?? "wait" } }),
      ...(args.unit === undefined ? {} : { unit: args.unit }),
      ...authOf(given),
    },
    issues,
  };
}

export function checkCommandGate(made: CommandGateArgs): CheckedGate<CommandGate> {
  const given = fields(made);
  const args = given as unknown as CommandGateArgs;
  return {
    gate: {
      kind: "command",
      ...common(given, "command"),
      command: [...list(args.command)],
      timeout: secondsOf(given["timeout"], 10 * MINUTE),
    },
    issues: checkFields("", made, {
      ...COMMON,
      command: { required: "program and arguments", check: command },
      timeout: duration,
    }),
  };
}

export function checkApprovalGate(made: ApprovalGateArgs<unknown>): CheckedGate<ApprovalGate> {
  const given = fields(made);
  const args = given as unknown as ApprovalGateArgs<unknown>;
  const time = { deadline: secondsOf(given["deadline"], 60 * MINUTE), interval: secondsOf(given["interval"], 5) };
  const issues = [
    ...checkFields("", made, {
      ...COMMON,
      ...CREDENTIALS,
      by: { required: "{ file: … }, { url: … } or { command: […] }", check: checkSource },
      deadline: duration,
      interval: duration,
    }),
    ...checkCredentials(given),
  ];
  if (time.interval > time.deadline) issues.push(issue("interval", given["interval"], "no longer than the deadline"));
  return {
    gate: { kind: "approval", ...common(given, "approval"), by: sourceOf(args.by), ...time, ...authOf(given) },
    issues,
  };
}

function checkSource(path: string, given: unknown): Issue[] {
  const kinds = isFields(given) ? ["file", "url", "command"].filter((kind) => given[kind] !== undefined) : [];
  if (!isFields(given) || kinds.length !== 1) return [issue(path, given, "exactly one of file, url and command")];
  const oneRelease =
    (check: (path: string, given: unknown) => Issue[], wanted: string) => (at: string, text: unknown) =>
      typeof text === "string" && text.includes("{release}") ? check(at, text) : [issue(at, text, wanted)];
  return checkFields(path, given, {
    file: oneRelease(checkPath, 'a path with {release} in it, such as "approvals/{release}"'),
    url: oneRelease(templateUrl("an http or https URL", "release", "wave"), "a URL with {release} in it"),
    command,
  });
}

function checkPath(path: string, given: unknown): Issue[] {
  const text = String(given);
  if (hasControlCharacter(text)) return [issue(path, given, "a path without control characters")];
  return unknownPlaceholders(path, text, ["release", "wave"]);
}

function sourceOf(given: ApprovalGateArgs["by"]): ApprovalSource {
  const { file, url, command: words } = fields(given);
  if (typeof file === "string") return { file };
  return typeof url === "string" ? { url } : { command: [...list(words)] };
}

function checkInterval(given: Fields, time: { readonly for: number; readonly interval: number }): Issue[] {
  return time.interval > time.for ? [issue("interval", given["interval"], "no longer than for")] : [];
}

function common(given: Fields, kind: string): { readonly name: string; readonly after: GateAfter } {
  return { name: String(given["name"] ?? kind), after: (given["after"] as GateAfter | undefined) ?? "canary" };
}

/** A program without types can give anything; what it gave is refused by its checks. */
function fields(given: unknown): Fields {
  return isFields(given) ? given : {};
}

function list<T = string>(given: unknown): readonly T[] {
  return Array.isArray(given) ? (given as T[]) : [];
}
