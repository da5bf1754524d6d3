import { isIP } from "node:net";
import { isFields, type CheckOptions } from "../check";
import { issue, type Issue } from "../issues";
import { checkFields, listOf, required, whole } from "../mirror/field-checks";
import { parseAddress } from "../names";

/** What jobs may reach. Metadata addresses of clouds are out of reach whatever is allowed. */
export interface NetworkArgs<Value = string, Allowed = AllowedHost<Value> | string> {
  /**
   * Hosts with their TCP ports, or networks such as `10.20.0.0/16`; nothing else is reached.
   * @default nothing
   */
  readonly allow?: readonly Allowed[];
  /**
   * Address of the only DNS server that jobs may ask.
   * @default the host's own, as its /etc/resolv.conf says
   */
  readonly resolver?: Value;
}

/** A host that jobs may reach. */
export interface AllowedHost<Value = string> {
  /** A name or an address. A name is looked up again and again, and reached by the addresses it has. */
  readonly host: Value;
  /**
   * TCP ports.
   * @default [443]
   */
  readonly ports?: readonly number[];
}

/** {@link NetworkArgs} with every default in place, each list in order. */
export interface Network {
  readonly names: readonly { readonly name: string; readonly ports: readonly number[] }[];
  readonly networks: readonly AllowedNetwork[];
  /** Undefined: the host's own. */
  readonly resolver: string | undefined;
}

/** Addresses that jobs may reach. */
export interface AllowedNetwork {
  /** `10.20.0.0/16`, `2001:db8::/32`; one address has all its bits. */
  readonly cidr: string;
  /** TCP ports; none: all. */
  readonly ports: readonly number[];
}

const PORTS: readonly number[] = [443];

/** Puts the defaults in place. The args must have passed {@link checkNetwork}. */
export function resolveNetwork({ allow = [], resolver }: NetworkArgs): Network {
  const hosts = allow.map((each) => (typeof each === "string" ? { host: each, ports: [] } : { ports: PORTS, ...each }));
  const isAddress = ({ host }: AllowedHost) => host.includes("/") || isIP(host) !== 0;
  return {
    names: merged(hosts.filter((each) => !isAddress(each)).map(({ host, ports }) => [host.toLowerCase(), ports])).map(
      ([name, ports]) => ({ name, ports }),
    ),
    networks: merged(hosts.filter(isAddress).map(({ host, ports }) => [withBits(host), ports])).map(
      ([cidr, ports]) => ({ cidr, ports }),
    ),
    resolver,
  };
}

export function checkNetwork(path: string, given: unknown, { isUnknown = () => false }: CheckOptions = {}): Issue[] {
  return checkFields(
    path,
    given,
    {
      allow: (here, allow) => {
        if (Array.isArray(allow) && allow.length === 0) return [];
        return listOf(
          (entry, value) => checkAllowed(entry, value, isUnknown),
          'hosts and networks, such as [{ host: "git.corp.example" }, "10.20.0.0/16"]',
          isUnknown,
        )(here, allow);
      },
      resolver: (here, value) =>
        typeof value === "string" && isIP(value) !== 0
          ? []
          : [issue(here, value, 'the IP address of a DNS server, such as "10.20.0.53"')],
    },
    isUnknown,
  );
}

function checkAllowed(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (!isFields(given)) return checkCidr(path, given);
  return checkFields(
    path,
    given,
    {
      host: required("a host's name or address", (here, host) => {
        const wrong = parseAddress(here, host).issue;
        return wrong ? [wrong] : [];
      }),
      ports: listOf(whole(1, 65_535, "a TCP port"), "TCP ports, such as [443]"),
    },
    isUnknown,
  );
}

function checkCidr(path: string, given: unknown): Issue[] {
  const wanted = 'a network such as "10.20.0.0/16", or { host: "git.corp.example", ports: [443] }';
  const [, address = "", bits = ""] = (typeof given === "string" && /^([^/]+)\/(\d{1,3})$/.exec(given)) || [];
  const family = isIP(address);
  if (family === 0) return [issue(path, given, wanted)];
  const most = family === 4 ? 32 : 128;
  if (Number(bits) > most) return [issue(path, given, `a network of at most ${most} bits`)];
  if (Number(bits) === 0) return [issue(path, given, `${wanted}; all addresses would be no limit`)];
  return [];
}

/** One entry for each key, with the ports of all; no ports stand for every one. */
function merged(entries: readonly (readonly [string, readonly number[]])[]): [string, number[]][] {
  const all = new Map<string, readonly number[]>();
  for (const [key, ports] of entries) {
    const known = all.get(key);
    all.set(key, known === undefined ? ports : known.length === 0 || ports.length === 0 ? [] : [...known, ...ports]);
  }
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, ports]) => [key, [...new Set(ports)].sort((a, b) => a - b)]);
}

function withBits(address: string): string {
  if (address.includes("/")) return address;
  return `${address}/${isIP(address) === 6 ? 128 : 32}`;
}
