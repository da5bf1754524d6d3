/**
 * Real hosts for tests: Debian 12 with systemd and sshd, in systemd-nspawn on this machine.
 *
 *     needsHosts(this);
 *     const host = await hosts.boot("rack-01");
 *     await host.exec("systemctl is-active ssh");
 *
 * Everything is removed when the process ends, however it ends; after a `kill -9`, by the next run.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { baseTree, kernelTree } from "./base-tree";
import { Host, type BootOptions } from "./host";
import { Network } from "./network";
import type { Fleet } from "./remote-host";
import { unavailable } from "./requirements";
import { makeKey } from "./ssh";
import { VirtualHost, type VirtualOptions } from "./virtual-host";

export { baseTree } from "./base-tree";
export { CommandError, type Result } from "./commands";
export { Host, type BootOptions } from "./host";
export { difference, type Listing } from "./listing";
export type { ExecOptions, RemoteHost, User } from "./remote-host";
export { needsHosts, needsVirtualHosts, noVirtualHosts, unavailable } from "./requirements";
export { VirtualHost, type VirtualOptions } from "./virtual-host";

class Hosts {
  private fleet: Promise<Fleet> | undefined;

  /** Boots a new host; resolves in about two seconds, when it answers over SSH. */
  async boot(name: string, options: BootOptions = {}): Promise<Host> {
    return Host.boot(name, await this.ready(), options);
  }

  /** Boots a new host with a kernel and a clock of its own; resolves in about half a minute. */
  async bootVirtual(name: string, options: VirtualOptions): Promise<VirtualHost> {
    const kernel = await kernelTree(progress);
    return VirtualHost.boot(name, await this.ready(), kernel, options);
  }

  /** This machine's address as the hosts see it: where a server of a test must listen. */
  async operatorAddress(): Promise<string> {
    return (await this.ready()).network.operatorAddress;
  }

  /** Password for `sudo` of the user `secure`, new in every run. */
  async sudoPassword(): Promise<string> {
    return (await this.ready()).sudoPassword;
  }

  /** Ends all hosts and gives the network back; hosts can be booted again afterwards. */
  async stopAll(): Promise<void> {
    const fleet = await this.fleet;
    this.fleet = undefined;
    fleet?.network.release();
  }

  private ready(): Promise<Fleet> {
    this.fleet ??= prepare();
    return this.fleet;
  }
}

export const hosts = new Hosts();

async function prepare(): Promise<Fleet> {
  const reason = unavailable();
  if (reason) throw new Error(reason);
  const tree = await baseTree(progress);
  const network = await Network.claim();
  releaseAtExit(network);
  mkdirSync(join(network.scratch, "keys"));
  const identityFile = join(network.scratch, "keys", "client");
  const publicKey = await makeKey(identityFile);
  return { network, baseTree: tree, identityFile, publicKey, sudoPassword: randomBytes(9).toString("base64url") };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

function releaseAtExit(network: Network): void {
  process.once("exit", () => network.release());
  for (const [signal, number] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(128 + number));
}
