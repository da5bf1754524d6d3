import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasCommand, must, run } from "../../hosts/support/commands";

/** Where a program listens or is asked. */
export interface Place {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

const PEER = join(__dirname, "net-peer.cjs");
/** Without it the kernel says nothing of packets in other namespaces than its first. */
const LOG_ALL = "/proc/sys/net/netfilter/nf_log_all_netns";

/** Why the tests of rules cannot run on this machine, or undefined if they can. */
export function noNamespaces(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "network namespaces need Linux and root";
  const missing = Object.entries({ nft: "nftables", ip: "iproute2" }).filter(([command]) => !hasCommand(command));
  if (missing.length === 0) return undefined;
  return `missing: run .ci/prepare, or apt-get install ${missing.map(([, name]) => name).join(" ")}`;
}

/**
 * Two network namespaces and a cable between them: a host with its rules, and the world. The same addresses can be in
 * several such networks at once, and nothing of them can be reached from outside.
 */
export class TestNetwork {
  private readonly peers: ChildProcess[] = [];
  private logAll = "";
  private readonly host = `gofleet-${process.pid}-host`;
  private readonly world = `gofleet-${process.pid}-world`;

  /** @param addresses with prefix lengths, of either side */
  static async make(addresses: { host: readonly string[]; world: readonly string[] }): Promise<TestNetwork> {
    const network = new TestNetwork();
    const { host, world } = network;
    for (const name of [host, world]) {
      await must("ip", ["netns", "add", name]);
      await must("ip", ["-n", name, "link", "set", "lo", "up"]);
      // An address that is checked for duplicates first cannot be used for a second.
      await must("ip", ["netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"]);
    }
    await must("ip", ["-n", host, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", world]);
    for (const [name, list] of [[host, addresses.host] as const, [world, addresses.world] as const]) {
      await must("ip", ["-n", name, "link", "set", "cable", "up"]);
      for (const address of list) await must("ip", ["-n", name, "address", "add", address, "dev", "cable"]);
    }
    for (const version of ["-4", "-6"])
      await must("ip", ["-n", host, version, "route", "add", "default", "dev", "cable"]);
    network.logAll = readFileSync(LOG_ALL, "utf8");
    writeFileSync(LOG_ALL, "1");
    return network;
  }

  async remove(): Promise<void> {
    for (const peer of this.peers) peer.kill();
    if (this.logAll !== "") writeFileSync(LOG_ALL, this.logAll);
    for (const name of [this.host, this.world]) await run("ip", ["netns", "delete", name]);
  }

  /** Starts a program that listens there. */
  async serve(side: "host" | "world", uid: number, places: readonly Place[]): Promise<void> {
    const child = spawn("ip", ["netns", "exec", this[side], ...peer(uid, "serve", places)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.peers.push(child);
    const failed = once(child, "exit").then(() => Promise.reject(new Error(`nobody serves ${JSON.stringify(places)}`)));
    await Promise.race([once(child.stdout, "data"), failed]);
  }

  /** Asks from the host, as a user: what each place answered, or the error's code. */
  async ask(uid: number, places: readonly Place[]): Promise<string[]> {
    return JSON.parse(await this.run(...peer(uid, "ask", places))) as string[];
  }

  /** Runs a command on the host as root. */
  run(command: string, ...args: readonly string[]): Promise<string> {
    return must("ip", ["netns", "exec", this.host, command, ...args]);
  }

  /** Loads rules as the unit does. */
  async load(rules: string): Promise<void> {
    await must("ip", ["netns", "exec", this.host, "nft", "-f", "-"], { input: rules });
  }
}

function peer(uid: number, verb: string, places: readonly Place[]): [string, ...string[]] {
  return [process.execPath, PEER, String(uid), verb, JSON.stringify(places)];
}
