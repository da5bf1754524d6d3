/**
 * How to reach a host, and its form in the state: one line, so that a pool of a thousand hosts stays small and a
 * preview shows one line a host. `ssh fleet@10.20.0.11 sudo key=ssh-ed25519 AAAA…` or `local .gofleet/root`.
 */
export type HostConnection = LocalConnection | SshConnection;

export interface LocalConnection {
  readonly kind: "local";
  /** Directory that stands for `/`; relative to the Pulumi project. `/` is the machine itself. */
  readonly root: string;
}

export interface SshConnection {
  readonly kind: "ssh";
  /** Name, address, or alias of `ssh_config`. */
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  /** Become root by sudo; without it the login is root's. */
  readonly become?: "sudo";
  /** `ssh -J`: a bastion, or several by commas. */
  readonly jump?: string;
  /** Private key file on the operator's machine; else the agent and the defaults of `ssh_config`. */
  readonly identity?: string;
  /** The host's public key. Without it the operator's `known_hosts` must know the host. */
  readonly hostKey?: string;
}

/** The connection as one line. */
export function formatConnection(connection: HostConnection): string {
  if (connection.kind === "local") return `local ${connection.root}`;
  const { host, port, user, become, jump, identity, hostKey } = connection;
  const address = host.includes(":") ? `[${host}]` : host;
  return [
    "ssh",
    `${user === undefined ? "" : `${user}@`}${address}${port === undefined ? "" : `:${port}`}`,
    ...(become === undefined ? [] : [become]),
    ...(jump === undefined ? [] : [`jump=${jump}`]),
    ...(identity === undefined ? [] : [`identity=${identity}`]),
    ...(hostKey === undefined ? [] : [`key=${hostKey}`]),
  ].join(" ");
}

const SSH_LINE =
  /^ssh (?:(?<user>[^@\s]+)@)?(?:\[(?<six>[^\]\s]+)\]|(?<host>[^\s:@]+))(?::(?<port>\d+))?(?<sudo> sudo)?(?: jump=(?<jump>\S+))?(?: identity=(?<identity>\S+))?(?: key=(?<key>.+))?$/;

/** Reads a line of {@link formatConnection}; an `Error` naming the line if it is none. */
export function parseConnection(line: string): HostConnection {
  if (line.startsWith("local ") && line.length > "local ".length) return { kind: "local", root: line.slice(6) };
  const groups = SSH_LINE.exec(line)?.groups;
  const host = groups?.["six"] ?? groups?.["host"];
  if (groups === undefined || host === undefined) {
    throw new Error(`not a host connection: ${JSON.stringify(line)}; wanted "ssh user@host …" or "local directory"`);
  }
  return {
    kind: "ssh",
    host,
    port: groups["port"] === undefined ? undefined : Number(groups["port"]),
    user: groups["user"],
    become: groups["sudo"] === undefined ? undefined : "sudo",
    jump: groups["jump"],
    identity: groups["identity"],
    hostKey: groups["key"],
  };
}

/** What a person calls the place: `fleet@10.20.0.11`, `.gofleet/root`. */
export function placeName(connection: HostConnection): string {
  if (connection.kind === "local") return connection.root;
  return connection.user === undefined ? connection.host : `${connection.user}@${connection.host}`;
}

/** The key of the only host of a target that is not a pool. */
export const ONLY_HOST = "host";
