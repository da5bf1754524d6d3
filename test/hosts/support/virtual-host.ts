import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../../src/render/shell";
import { must, script, type Result } from "./commands";
import { listing, type Listing } from "./listing";
import { Machine } from "./machine";
import { RemoteHost, type ExecOptions, type Fleet, type User } from "./remote-host";
import { SharedConnection } from "./shared-connection";

export const QEMU = "qemu-system-x86_64";

export interface VirtualOptions {
  /** What the host's clock says when it has started. */
  readonly clock: Date;
  /** Default: 1024. */
  readonly memoryMiB?: number;
  /** Milliseconds in which it must have started. Default: 240,000. */
  readonly bootsWithin?: number;
  /** Changes the host's tree before its disk is made of it; what is not on the disk's 2 GiB then is not there. */
  readonly prepare?: (root: string) => Promise<void>;
}

const DISK = "2G";
const MEMORY_MIB = 1024;
/** Milliseconds; every instruction is emulated, and other work may be under way. */
const BOOTS_WITHIN = 240_000;
/** Milliseconds for a command, unless it has its own. */
const PATIENCE = 300_000;

/**
 * A Debian 12 host in a virtual machine: what {@link Host} is, with Debian's own kernel and so with a clock of its own.
 * Software emulation only, so that it runs where there is no /dev/kvm; some ten times slower than a container.
 */
export class VirtualHost extends RemoteHost {
  private readonly machine: Machine;
  /** Of root. */
  private readonly connection: SharedConnection;

  private constructor(name: string, fleet: Fleet, kernel: string, options: VirtualOptions, number: number) {
    super(name, fleet, number);
    const machine = fleet.network.machine(number);
    const args = ["in-group.sh", machine, QEMU, ...this.hardware(options), ...software(kernel)] as const;
    this.connection = new SharedConnection(machine, `${this.folder}.ssh`);
    this.machine = new Machine(machine, [...args], `${this.folder}.console`, { GOFLEET_BRIDGE: fleet.network.bridge });
  }

  /** Makes a host with a fresh disk and starts it; resolves when it answers over SSH and systemd has settled. */
  static async boot(name: string, fleet: Fleet, kernel: string, options: VirtualOptions): Promise<VirtualHost> {
    const host = new VirtualHost(name, fleet, kernel, options, fleet.network.take());
    await host.install(kernel, options);
    host.machine.powerOn();
    await host.ready(options.bootsWithin ?? BOOTS_WITHIN);
    await host.connection.open(host.sshArguments());
    // systemd puts a clock forward that is older than itself.
    await host.setClock(options.clock);
    return host;
  }

  override run(command: string, options: ExecOptions = {}): Promise<Result> {
    return super.run(command, { timeout: PATIENCE, ...options });
  }

  override sshArguments(user: User = this.user): string[] {
    return [...(user === this.user ? this.connection.sshArguments : []), ...super.sshArguments(user)];
  }

  /** Sets the host's clock, as an administrator does. */
  async setClock(time: Date): Promise<void> {
    await this.exec(`date -s @${Math.round(time.getTime() / 1000)}`);
  }

  /** What the host's clock says. */
  async clock(): Promise<Date> {
    return new Date(Number(await this.exec("date +%s")) * 1000);
  }

  /**
   * What is on the host's disk, to compare before and after. Read on the host itself, and without what Debian has in
   * /usr, for to sum that up takes an emulated processor half a minute.
   */
  listing(): Promise<Listing> {
    const there = (name: string, args: readonly string[]) => this.exec(command(name, ...args));
    return listing("/.", there, ["usr/bin", "usr/lib", "usr/sbin", "usr/share"]);
  }

  /** Ends the host and removes its disk. */
  async stop(): Promise<void> {
    await this.machine.kill();
    await must("rm", ["-f", this.disk]);
    this.fleet.network.give(this.number);
  }

  protected console(): string {
    return this.machine.console();
  }

  private get disk(): string {
    return `${this.folder}.disk`;
  }

  private hardware({ clock, memoryMiB = MEMORY_MIB }: VirtualOptions): string[] {
    const { link, disk } = this;
    return [
      ...["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", `${memoryMiB}`],
      // Debian's cloud kernel has a driver for NVMe built in, so it needs no initramfs to find its root.
      ...["-drive", `file=${disk},if=none,id=disk,format=raw,cache=unsafe`, "-device", "nvme,drive=disk,serial=disk"],
      ...["-netdev", `tap,id=lan,ifname=${link},script=${script("attach.sh")},downscript=no`],
      ...["-device", `virtio-net-pci,netdev=lan,mac=52:54:00:00:00:${this.number.toString(16).padStart(2, "0")}`],
      ...["-rtc", `base=${clock.toISOString().slice(0, 19)}`, "-nographic", "-no-reboot"],
    ];
  }

  private async install(kernel: string, { prepare }: VirtualOptions): Promise<void> {
    await must("sh", [script("tree.sh"), "make", this.folder, this.fleet.baseTree, ""]);
    const root = join(this.folder, "root");
    try {
      await this.personalize(root);
      joinNetwork(root, this.address);
      await prepare?.(root);
      await must("sh", [script("disk.sh"), root, kernel, this.disk, DISK]);
    } finally {
      await must("sh", [script("tree.sh"), "remove", this.folder]);
    }
  }
}

function software(kernel: string): string[] {
  const image = readdirSync(join(kernel, "boot")).find((name) => name.startsWith("vmlinuz-"));
  if (image === undefined) throw new Error(`${kernel}/boot: no kernel`);
  // The tree has no udev, so nothing loads drivers by itself, and a login on the console would wait for its device.
  const options = ["root=/dev/nvme0n1", "rw", "quiet", "console=ttyS0", "modules_load=virtio_pci,virtio_net"];
  return ["-kernel", join(kernel, "boot", image), "-append", [...options, "systemd.getty_auto=no"].join(" ")];
}

/** A unit, for systemd-networkd leaves an interface alone until udev has seen it. */
function joinNetwork(root: string, address: string): void {
  const unit = [
    "[Unit]",
    "DefaultDependencies=no",
    "Wants=systemd-modules-load.service",
    "After=systemd-modules-load.service",
    "Before=network.target",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=ip address add ${address}/27 dev eth0`,
    "ExecStart=ip link set eth0 up",
    "",
  ];
  const units = join(root, "etc/systemd/system");
  writeFileSync(join(units, "lan.service"), unit.join("\n"));
  mkdirSync(join(units, "sysinit.target.wants"), { recursive: true });
  symlinkSync("../lan.service", join(units, "sysinit.target.wants/lan.service"));
}
