import { parseConnection } from "./connection";
import { LocalTransport } from "./local-transport";
import { SshTransport } from "./ssh-transport";
import type { Transport } from "./transport";

/** Makes a transport for a host's line; the password is sudo's. */
export type Connect = (line: string, password?: string) => Transport;

const open = new Set<Transport>();
const pool = new Map<string, Transport>();

/** One transport, and so one login, per host line and run. */
export const connect: Connect = (line, password) => {
  const key = `${line}\0${password ?? ""}`;
  const known = pool.get(key);
  if (known !== undefined) return known;
  const connection = parseConnection(line);
  const transport =
    connection.kind === "local" ? new LocalTransport(connection) : new SshTransport(connection, password);
  pool.set(key, transport);
  open.add(transport);
  return transport;
};

/** Ends every login of this run. */
export function disconnectAll(): void {
  for (const transport of open) transport.close();
  open.clear();
  pool.clear();
}
