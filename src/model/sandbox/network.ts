import { isIP } from "node:net";
import { at, isFields, type CheckOptions } from "../check";
import { issue, type Issue } from "../issues";
import { checkFields, flag, listOf, required, whole } from "../field-checks";
import { parseAddress } from "../names";
import { isMetadataAddress } from "./metadata";

/** What jobs may reach. Metadata addresses of clouds are out of reach whatever is allowed. */
export interface NetworkArgs<Value = string, Allowed = AllowedHost<Value> | string> {
  /**
   * Hosts and networks with their TCP ports; nothing else is reached. A text alone is a host with the default port.
   * @default nothing
   */
  readonly allow?: readonly Allowed[];
  /**
   * Address of the only DNS server that jobs, and what looks allowed names up, ask: their `/etc/resolv.conf` says it,
   * whatever the host's own does. `"none"`: the host's `/etc/hosts` has every name.
   * @default none; needed where `allow` has names
   */
  readonly resolver?: Value;
}

/** A host or a network that jobs may reach. */
export interface AllowedHost<Value = string> {
  /**
   * A name, an address, or a network such as `10.20.0.0/16`. A name is looked up again and again, and reached by the
   * addresses it has.
   */
  readonly host: Value;
  /**
   * TCP ports.
   * @default [443]
   */
  readonly ports?: readonly number[];
  /**
   * Whether modules come from there: then the user that fills the shared module cache reaches it too.
   * @default false
   */
  readonly modules?: boolean;
}

/** {@link NetworkArgs} with every default in place, each list in order. */
export interface Network {
  readonly names: readonly Reachable[];
  /** Addresses, and networks as `10.20.0.0/16`. */
  readonly addresses: readonly Reachable[];
  /** Undefined: none. */
  readonly resolver: string | undefined;
}

/** One entry of what jobs may reach. */
export interface Reachable {
  readonly host: string;
  readonly ports: readonly number[];
  readonly modules: boolean;
}

const PORTS: readonly number[] = [443];

const NO_RESOLVER = "none";

/** Puts the defaults in place. The args must have passed {@link checkNetwork}. */
export function resolveNetwork({ allow = [], resolver }: NetworkArgs): Network {
  const hosts = allow.map((each): Reachable => {
    const { host, ports = PORTS, modules = false } = typeof each === "string" ? { host: each } : each;
    return { host: host.toLowerCase(), ports, modules };
  });
  const isAddress = ({ host }: Reachable) => isIP(host) !== 0 || host.includes("/");
  return {
    names: merged(hosts.filter((each) => !isAddress(each))),
    addresses: merged(hosts.filter(isAddress)),
    resolver: resolver === NO_RESOLVER ? undefined : resolver,
  };
}

export function checkNetwork(path: string, given: unknown, { isUnknown = () => false }: CheckOptions = {}): Issue[] {
  const allowed = listOf(
    (here, value) => checkAllowed(here, value, isUnknown),
    'hosts and networks, such as [{ host: "git.corp.example", ports: [22, 443] }, "10.20.0.0/16"]',
    isUnknown,
  );
  const issues = checkFields(
    path,
    given,
    {
      allow: (here, allow) => (Array.isArray(allow) && allow.length === 0 ? [] : allowed(here, allow)),
      resolver: checkResolver,
    },
    isUnknown,
  );
  return issues.length > 0 ? issues : checkNamesKnown(at(path, "resolver"), given as NetworkArgs<unknown, unknown>);
}

/** Names that nobody can be asked for are out of reach. What is not known yet is looked at when it is. */
function checkNamesKnown(path: string, { allow, resolver }: NetworkArgs<unknown, unknown>): Issue[] {
  if (resolver !== undefined || !Array.isArray(allow)) return [];
  const hosts = allow.map((each: unknown) => (isFields(each) ? each["host"] : each));
  const name = hosts.find((host) => typeof host === "string" && isIP(host) === 0 && !host.includes("/"));
  if (name === undefined) return [];
  const wanted =
    `the address of the DNS server that knows ${String(name)}, such as "10.20.0.53", or "${NO_RESOLVER}" where the hosts' ` +
    "/etc/hosts has every name: jobs ask nobody else";
  return [issue(path, undefined, wanted)];
}

function checkResolver(path: string, given: unknown): Issue[] {
  if (given === NO_RESOLVER) return [];
  if (typeof given !== "string" || isIP(given) === 0 || given.includes("%")) {
    return [issue(path, given, 'the IP address of a DNS server, such as "10.20.0.53"')];
  }
  const wanted =
    "another resolver, such as one of your own or the host's stub, 127.0.0.53: clouds answer there with the machine's " +
    "identity too, so no job reaches it";
  return isMetadataAddress(given) ? [issue(path, given, wanted)] : [];
}

function checkAllowed(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (!isFields(given)) return checkHost(path, given);
  return checkFields(
    path,
    given,
    {
      host: required("a host's name or address", checkHost),
      ports: listOf(whole(1, 65_535, "a TCP port"), "TCP ports, such as [443]"),
      modules: flag,
    },
    isUnknown,
  );
}

function checkHost(path: string, given: unknown): Issue[] {
  if (typeof given === "string" && given.includes("/")) return checkCidr(path, given);
  if (typeof given === "string" && isIP(given) !== 0 && isMetadataAddress(given)) {
    return [issue(path, given, "no metadata address: it is out of reach whatever is allowed")];
  }
  const wanted = 'a host such as "git.corp.example", an address, or a network such as "10.20.0.0/16"; ports apart';
  return parseAddress("", given).issue === undefined && !String(given).includes("%")
    ? []
    : [issue(path, given, wanted)];
}

function checkCidr(path: string, given: string): Issue[] {
  const [, address = "", bits = ""] = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(given) ?? [];
  const family = isIP(address);
  if (family === 0) return [issue(path, given, 'a network such as "10.20.0.0/16", without a scheme or a path')];
  const most = family === 4 ? 32 : 128;
  if (Number(bits) > most) return [issue(path, given, `a network of at most ${most} bits`)];
  return Number(bits) > 0 ? [] : [issue(path, given, "a part of all addresses: all of them would be no limit")];
}

/** One entry for each host, with the ports of all of its entries; those for modules apart. */
function merged(hosts: readonly Reachable[]): Reachable[] {
  const all = new Map<string, Reachable>();
  for (const each of hosts) {
    const key = `${each.host} ${each.modules}`;
    all.set(key, { ...each, ports: [...(all.get(key)?.ports ?? []), ...each.ports] });
  }
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, each]) => ({ ...each, ports: [...new Set(each.ports)].sort((a, b) => a - b) }));
}
