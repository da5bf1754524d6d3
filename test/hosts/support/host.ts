import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, run, script } from "./commands";
import { listing, type Listing } from "./listing";
import { Machine, pause } from "./machine";
import { RemoteHost, type Fleet } from "./remote-host";

export interface BootOptions {
  /** Size of the host's disk as truncate(1) takes it, for example `"400M"`. Default: as much as this machine has. */
  readonly disk?: string;
  /**
   * Whether its processes may use keyrings, which containers must not: users of the same number share them with this
   * machine and with other hosts.
   * @default false
   */
  readonly keyrings?: boolean;
}

/**
 * A full Debian 12 host: systemd as PID 1, sshd, its own network address, its own disk. It has no clock of its own
 * (the kernel's is everybody's; virtual-host.ts has hosts with one) and no way out of the test network.
 */
export class Host extends RemoteHost {
  /** The host's file system, seen from this machine. Without what the host mounts (`/run`, `/tmp`). */
  readonly rootDir: string;
  private readonly machine: Machine;

  private constructor(
    name: string,
    fleet: Fleet,
    private readonly options: BootOptions,
    number: number,
  ) {
    super(name, fleet, number);
    const machine = fleet.network.machine(number);
    this.rootDir = join(this.folder, "root");
    const more = options.keyrings ? ["--system-call-filter=@keyring"] : [];
    const command = ["boot.sh", machine, fleet.network.bridge, this.rootDir, ...more] as const;
    this.machine = new Machine(machine, [...command], `${this.folder}.console`);
  }

  /** Makes a host with a fresh tree and starts it; resolves when it answers over SSH and systemd has settled. */
  static async boot(name: string, fleet: Fleet, options: BootOptions): Promise<Host> {
    const host = new Host(name, fleet, options, fleet.network.take());
    await host.install();
    await host.powerOn();
    return host;
  }

  /** How often the host has started since it was made: a reboot adds one. */
  get bootCount(): number {
    return this.machine.bootCount;
  }

  get running(): boolean {
    return this.machine.running;
  }

  /** Reboots in order and resolves when the host is back. */
  async reboot(): Promise<void> {
    const before = this.bootCount;
    await this.run("systemctl reboot");
    const deadline = Date.now() + 240_000;
    while (this.bootCount === before) {
      if (Date.now() > deadline) throw new Error(`${this.name} did not reboot:\n${this.machine.console()}`);
      await pause(50);
    }
    await this.ready();
  }

  /** Shuts down in order; the host stays off until `powerOn`. */
  async powerOff(): Promise<void> {
    await this.run("systemctl poweroff");
    await this.machine.untilOff(240_000);
  }

  /** Ends every process of the host at once, the nearest to a power cut; the host stays off until `powerOn`. */
  kill(): Promise<void> {
    return this.machine.kill();
  }

  async powerOn(): Promise<void> {
    this.machine.powerOn();
    await this.ready();
  }

  /** Cuts the network between this machine and the host. The host's link stays up: packets vanish on the way. */
  async cut(): Promise<void> {
    await must("ip", ["link", "set", this.link, "nomaster"]);
  }

  async restore(): Promise<void> {
    await must("ip", ["link", "set", this.link, "master", this.fleet.network.bridge]);
  }

  /** Fills the disk to the last block with one file. Only for a host with a `disk` of its own size. */
  async fillDisk(): Promise<void> {
    if (!this.options.disk) throw new Error(`${this.name} shares this machine's disk: boot it with { disk: "400M" }`);
    const { bavail, bsize } = statfsSync(this.rootDir);
    await must("fallocate", ["--length", String(bavail * bsize), this.filler]).catch(() => undefined);
    await run("dd", ["if=/dev/zero", `of=${this.filler}`, "bs=4k", "oflag=append", "conv=notrunc", "status=none"]);
  }

  freeDisk(): void {
    rmSync(this.filler, { force: true });
  }

  private get filler(): string {
    return join(this.rootDir, "var/tmp/filler");
  }

  /** Replaces the host by a new one at the same address: new disk, new machine-id, new host key. */
  async reinstall(): Promise<void> {
    await this.kill();
    await must("sh", [script("tree.sh"), "remove", this.folder]);
    await this.install();
    await this.powerOn();
  }

  /** Everything on the host's disk, to compare before and after. */
  listing(): Promise<Listing> {
    return listing(this.rootDir);
  }

  /** Ends the host and removes its disk. */
  async stop(): Promise<void> {
    await this.kill();
    await must("sh", [script("tree.sh"), "remove", this.folder]);
    this.fleet.network.give(this.number);
  }

  protected console(): string {
    return this.machine.console();
  }

  /** Makes the tree and everything in it that is this host's own. */
  private async install(): Promise<void> {
    await must("sh", [script("tree.sh"), "make", this.folder, this.fleet.baseTree, this.options.disk ?? ""]);
    await this.personalize(this.rootDir);
    const lines = ["[Match]", "Name=host0", "", "[Network]", `Address=${this.address}/27`, ""];
    writeFileSync(join(this.rootDir, "etc/systemd/network/10-host0.network"), lines.join("\n"));
  }
}
