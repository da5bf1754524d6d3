import { resolve } from "node:path";
import { connect, disconnectAll } from "../host/connect";
import { formatConnection, parseConnection } from "../host/connection";
import { HostSession } from "../host/host-session";
import { inParallel, type Outcome } from "../host/in-parallel";
import { keptReleases, type KeptRelease } from "../host/kept";
import { parseActual, type ReleasePolicy } from "../host/release";
import type { Pin } from "../model/pin";
import { SECRET } from "../report/change";
import { isMap } from "../report/compare";
import { isRelease } from "../report/release-change";
import { properties } from "../report/values";
import type { EngineStack } from "./stack-engine";

/** A component's release resource, as the stack's state has it. */
export interface Deployed {
  /** Directory under `/etc/gofleet`. */
  readonly component: string;
  readonly urn: string;
  /** The resources it belongs to, the stack last. */
  readonly ancestors: readonly string[];
  /** Connection lines by host key; roots on this machine are absolute. */
  readonly hosts: Readonly<Record<string, string>>;
  /** The release each host has, by the state. */
  readonly actual: Readonly<Record<string, string>>;
  readonly pin?: Pin;
  readonly protect: boolean;
  /** Its target wants a reason for whoever takes it back. */
  readonly reasons: boolean;
  readonly unreachable: ReleasePolicy["unreachable"];
}

/** What every host of a component keeps, or why it did not say. */
export type Kept = ReadonlyMap<string, Outcome<readonly KeptRelease[]>>;

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly protect?: boolean;
  readonly delete?: boolean;
  readonly outputs?: unknown;
}

/** The components of a stack that are on hosts, by their names. */
export async function deployedReleases(stack: EngineStack): Promise<Deployed[]> {
  const exported = JSON.parse(await stack.ask("stack", "export")) as {
    readonly deployment?: { readonly resources?: readonly StateResource[] };
  };
  const resources = exported.deployment?.resources ?? [];
  const byUrn = new Map(resources.map((each) => [each.urn, each]));
  const found = resources
    .filter((each) => isRelease(each) && each.delete !== true)
    .map((each) => deployed(each, byUrn, stack.project));
  if (found.length === 0)
    throw new Error(`stack ${stack.name} has no component on a host; \`pulumi up\` puts them there`);
  return found.sort((a, b) => (a.component < b.component ? -1 : 1));
}

/** The one that is meant. Without a name there must be only one. */
export function oneOf(all: readonly Deployed[], component: string | undefined): Deployed {
  const names = all.map((each) => each.component).join(", ");
  const [only] = all;
  if (component === undefined && all.length === 1 && only !== undefined) return only;
  const found = all.find((each) => each.component === component);
  if (found !== undefined) return found;
  throw new Error(
    component === undefined
      ? `which component? The stack has ${names}`
      : `no component "${component}" in the stack; it has ${names}`,
  );
}

const DEADLINE = 120;
const CONNECT = 15;
const PARALLEL = 16;

/** Asks every host which releases it keeps, and answers in the order of their keys. Nothing is changed there. */
export async function askKept({ component, hosts }: Deployed): Promise<Kept> {
  try {
    const asked = await inParallel(Object.keys(hosts), PARALLEL, (host) => ask(component, host, hosts[host] ?? ""));
    return new Map([...asked].sort(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    disconnectAll();
  }
}

async function ask(component: string, host: string, line: string): Promise<KeptRelease[]> {
  if (line === SECRET) throw new Error(`${host}: its address is a secret of the state; it cannot be asked from here`);
  const connection = parseConnection(line);
  const session = new HostSession(host, connect(line, process.env["GOFLEET_SUDO_PASSWORD"]), {
    deadline: DEADLINE,
    connect: CONNECT,
  });
  const root = connection.kind === "local" && connection.root !== "/" ? connection.root : undefined;
  return keptReleases(session.expectSuccess(await session.ask("releases", { component, root })));
}

function deployed(
  { urn, protect = false, parent, outputs }: StateResource,
  byUrn: ReadonlyMap<string, StateResource>,
  project: string,
): Deployed {
  // What the state holds is what the provider wrote; secrets are masked.
  const { component, hosts, actual, pin, policy } = properties(outputs) as {
    component: string;
    hosts: Record<string, string>;
    actual?: Record<string, string>;
    pin?: Pin;
    policy: ReleasePolicy;
  };
  if (!isMap(hosts))
    throw new Error(`the hosts of ${component} are a secret of the state; they cannot be asked from here`);
  const ancestors: string[] = [];
  for (let at = parent; at !== undefined && !ancestors.includes(at); at = byUrn.get(at)?.parent) ancestors.push(at);
  return {
    component,
    urn,
    ancestors,
    hosts: Object.fromEntries(Object.entries(hosts).map(([host, line]) => [host, absolute(line, project)])),
    actual: Object.fromEntries(
      Object.entries(actual ?? {}).map(([host, line]) => [host, parseActual(line)?.release ?? ""]),
    ),
    ...(pin === undefined ? {} : { pin }),
    protect: protect || ancestors.some((each) => byUrn.get(each)?.protect === true),
    reasons: policy.reasons === true,
    unreachable: policy.unreachable,
  };
}

/** Roots are relative to the project. */
function absolute(line: string, project: string): string {
  if (!line.startsWith("local ")) return line;
  const connection = parseConnection(line);
  return connection.kind === "local"
    ? formatConnection({ kind: "local", root: resolve(project, connection.root) })
    : line;
}
