import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** Ports that nobody has, different ones; on every address unless one is given. */
export async function freePorts(count: number, address?: string): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, address));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function freePort(address?: string): Promise<number> {
  const [port = 0] = await freePorts(1, address);
  return port;
}
