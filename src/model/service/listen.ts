import { isIP } from "node:net";
import { at, isFields, issuesOf } from "../check";
import { checkFields, listOf, matching, required, whole, type ValueCheck } from "../field-checks";
import { issue, type Issue } from "../issues";
import { parsePath, type AbsolutePath } from "../names";

/** A TCP address, `127.0.0.1:7070`, `[::1]:7070`, or `:7070` for every address of the host. */
export type TcpAddress = `${string}:${number}` | `[${string}]:${number}`;

/** A socket that systemd opens and hands to the service, open while that is restarted. See systemd.socket(5). */
export interface SocketArgs {
  /** TCP addresses, and absolute paths of unix sockets; one or several. */
  readonly listen: TcpAddress | AbsolutePath | readonly (TcpAddress | AbsolutePath)[];
  /**
   * Connections that wait to be accepted, at most; the kernel's somaxconn bounds it too.
   * @default 4096
   */
  readonly backlog?: number;
  /**
   * Mode of unix sockets, four octal digits.
   * @default "0660"
   */
  readonly mode?: string;
  /**
   * Group of unix sockets; it must be there.
   * @default "root"
   */
  readonly group?: string;
}

/** {@link SocketArgs} with every default in place. */
export interface ServiceSocket {
  /** Its name, which the service finds in LISTEN_FDNAMES. */
  readonly name: string;
  readonly tcp: readonly Endpoint[];
  readonly unix: readonly AbsolutePath[];
  readonly backlog: number;
  readonly mode: string;
  readonly group: string;
}

/** A TCP port at an address without brackets; `::` stands for every one. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const BACKLOG = 4096;
const MODE = "0660";

export function resolveSockets(args: Readonly<Record<string, SocketArgs>> = {}): ServiceSocket[] {
  return Object.entries(args)
    .map(([name, { listen, backlog = BACKLOG, mode = MODE, group = "root" }]): ServiceSocket => {
      const all = [listen].flat();
      return {
        name,
        tcp: all.flatMap((each) => parseEndpoint(each) ?? []),
        unix: all.filter((each): each is AbsolutePath => each.startsWith("/")),
        backlog,
        mode,
        group,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `[::1]:7070` → `{ address: "::1", port: 7070 }`; undefined where it is no such address. */
export function parseEndpoint(given: unknown): Endpoint | undefined {
  if (typeof given !== "string") return undefined;
  const [, bracketed, bare = "", digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]*)):(\d{1,5})$/.exec(given) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  const address = bracketed ?? (bare === "" ? "::" : bare);
  return isIP(address) === (bracketed === undefined && bare !== "" ? 4 : 6) ? { address, port } : undefined;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

const ADDRESS = '"127.0.0.1:7070", "[::1]:7070", or ":7070" for every address';

export const checkSockets: ValueCheck = (path, given) => {
  if (!isFields(given) || Object.keys(given).length === 0) {
    return [issue(path, given, 'sockets by name, such as { http: { listen: "127.0.0.1:7070" } }')];
  }
  return Object.entries(given).flatMap(([name, socket]) => {
    const here = at(path, name);
    if (!NAME.test(name)) return [issue(here, name, "a name of a-z, 0-9 and '-', at most 32")];
    return [
      ...checkFields(here, socket, {
        listen: required(`an address such as ${ADDRESS}, or the path of a unix socket`, checkSocketListen),
        backlog: whole(1, 65_535),
        mode: matching(/^0[0-7]{3}$/, 'four octal digits such as "0660"'),
        group: matching(/^[a-z_][a-z0-9_-]{0,31}$/, "a group's name"),
      }),
      ...(isForProfiles(name) ? checkPrivate(here, socket) : []),
    ];
  });
};

const checkSocketListen: ValueCheck = (path, given) => {
  const one: ValueCheck = (here, each) => {
    if (typeof each === "string" && each.startsWith("/")) return issuesOf(parsePath(here, each));
    return parseEndpoint(each) === undefined ? [issue(here, each, `${ADDRESS}, or the path of a unix socket`)] : [];
  };
  return Array.isArray(given) ? listOf(one, "addresses and paths")(path, given) : one(path, given);
};

/** By the name of a socket. */
export function isForProfiles(name: string): boolean {
  return /pprof|debug|profil/.test(name);
}

/** A socket for profiling shows memory, arguments and code: it is this host's alone. */
function checkPrivate(path: string, given: unknown): Issue[] {
  const listen: unknown = isFields(given) ? given["listen"] : undefined;
  return [listen].flat().flatMap((each: unknown) => {
    const endpoint = parseEndpoint(each);
    if (endpoint === undefined || isLoopback(endpoint.address)) return [];
    return [issue(at(path, "listen"), each, `"127.0.0.1:${endpoint.port}" or a unix socket: profiles are not for all`)];
  });
}

export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** Addresses that the service opens itself. Low ports need a right that it does not have. */
export const checkListen: ValueCheck = listOf((path, each) => {
  const endpoint = parseEndpoint(each);
  if (endpoint === undefined) return [issue(path, each, ADDRESS)];
  if (endpoint.port >= 1024) return [];
  return [
    issue(path, each, `a port from 1024, or sockets: { http: { listen: "${String(each)}" } }, opened by systemd`),
  ];
}, "addresses that the service listens on");
