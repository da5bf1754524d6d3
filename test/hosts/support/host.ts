import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, must, run, script, type Result, type RunOptions } from "./commands";
import { listing, type Listing } from "./listing";
import { Machine, pause } from "./machine";
import type { Network } from "./network";
import { answersSsh, makeKey, sshArguments } from "./ssh";

/** Who can log in, all with the run's client key: root, `fleet` (sudo without password), `secure` (sudo with one). */
export type User = "root" | "fleet" | "secure";

export interface BootOptions {
  /** Size of the host's disk as truncate(1) takes it, for example `"400M"`. Default: as much as this machine has. */
  readonly disk?: string;
}

export interface ExecOptions extends RunOptions {
  /** Default: root. */
  readonly user?: User;
}

/** What all hosts of a run share. */
export interface Fleet {
  readonly network: Network;
  readonly baseTree: string;
  readonly identityFile: string;
  readonly publicKey: string;
  /** Password of the user `secure`. */
  readonly sudoPassword: string;
}

/**
 * A full Debian 12 host: systemd as PID 1, sshd, its own network address, its own disk. It has no clock of its own
 * (the kernel's is everybody's) and no way out of the test network.
 */
export class Host {
  readonly port = 22;
  readonly user = "root";
  readonly address: string;
  /** The host's file system, seen from this machine. Without what the host mounts (`/run`, `/tmp`). */
  readonly rootDir: string;
  private readonly folder: string;
  private readonly machine: Machine;
  private identity = { machineId: "", hostKey: "" };

  private constructor(
    readonly name: string,
    private readonly fleet: Fleet,
    private readonly options: BootOptions,
    private readonly number: number,
  ) {
    const { network } = fleet;
    this.address = network.address(number);
    this.folder = join(network.scratch, network.machine(number));
    this.rootDir = join(this.folder, "root");
    this.machine = new Machine(network.machine(number), network.bridge, this.rootDir, `${this.folder}.console`);
  }

  /** Makes a host with a fresh tree and starts it; resolves when it answers over SSH and systemd has settled. */
  static async boot(name: string, fleet: Fleet, options: BootOptions): Promise<Host> {
    const host = new Host(name, fleet, options, fleet.network.take());
    await host.install();
    await host.powerOn();
    return host;
  }

  get machineId(): string {
    return this.identity.machineId;
  }

  /** Public host key, `ssh-ed25519 …`. */
  get hostKey(): string {
    return this.identity.hostKey;
  }

  /** The run's client key. */
  get identityFile(): string {
    return this.fleet.identityFile;
  }

  /** A known_hosts file with this host's key and no other. */
  get knownHostsFile(): string {
    return `${this.folder}.known_hosts`;
  }

  /** How often the host has started since it was made: a reboot adds one. */
  get bootCount(): number {
    return this.machine.bootCount;
  }

  get running(): boolean {
    return this.machine.running;
  }

  /** The arguments that make `ssh` log in; add options before them, a command after them. */
  sshArguments(user: User = this.user): string[] {
    const { address, identityFile, knownHostsFile } = this;
    return sshArguments({ address, user, identityFile, knownHostsFile });
  }

  /** Runs a shell command over SSH. A non-zero exit is a result; 255 is ssh's own failure. */
  run(command: string, { user, ...options }: ExecOptions = {}): Promise<Result> {
    return run("ssh", [...this.sshArguments(user), command], options);
  }

  /**
   * Runs a shell command over SSH and returns what it printed.
   * @throws CommandError if it does not end with 0.
   */
  async exec(command: string, options: ExecOptions = {}): Promise<string> {
    const result = await this.run(command, options);
    if (result.code !== 0) throw new CommandError(`${this.name}: ${command}`, result);
    return result.stdout;
  }

  /** Reboots in order and resolves when the host is back. */
  async reboot(): Promise<void> {
    const before = this.bootCount;
    await this.run("systemctl reboot");
    const deadline = Date.now() + 60_000;
    while (this.bootCount === before) {
      if (Date.now() > deadline) throw new Error(`${this.name} did not reboot:\n${this.machine.console()}`);
      await pause(50);
    }
    await this.ready();
  }

  /** Shuts down in order; the host stays off until `powerOn`. */
  async powerOff(): Promise<void> {
    await this.run("systemctl poweroff");
    await this.machine.untilOff(60_000);
  }

  /** Ends every process of the host at once, the nearest to a power cut; the host stays off until `powerOn`. */
  kill(): Promise<void> {
    return this.machine.kill();
  }

  async powerOn(): Promise<void> {
    this.machine.powerOn();
    await this.ready();
  }

  /** Resolves when a user can log in and systemd has finished starting; also after a reboot the test did not ask for. */
  async ready(timeout = 60_000): Promise<void> {
    const deadline = Date.now() + timeout;
    while (Date.now() < deadline) {
      // Logins of users other than root open last, so this is the stricter question.
      if (await answersSsh(this.address)) {
        const state = await this.run("systemctl is-system-running --wait", { user: "fleet", timeout: 30_000 });
        if (["running", "degraded"].includes(state.stdout.trim())) return;
      }
      await pause(100);
    }
    throw new Error(`${this.name} does not answer over SSH after ${timeout} ms:\n${this.machine.console()}`);
  }

  /** Cuts the network between this machine and the host. The host's link stays up: packets vanish on the way. */
  async cut(): Promise<void> {
    await must("ip", ["link", "set", this.link, "nomaster"]);
  }

  async restore(): Promise<void> {
    await must("ip", ["link", "set", this.link, "master", this.fleet.network.bridge]);
  }

  private get link(): string {
    return `vb-${this.fleet.network.machine(this.number)}`;
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

  /** Makes the tree and everything in it that is this host's own. */
  private async install(): Promise<void> {
    await must("sh", [script("tree.sh"), "make", this.folder, this.fleet.baseTree, this.options.disk ?? ""]);
    const etc = join(this.rootDir, "etc");
    const hostKey = await makeKey(join(etc, "ssh/ssh_host_ed25519_key"));
    this.identity = { hostKey, machineId: randomBytes(16).toString("hex") };
    writeFileSync(join(etc, "machine-id"), `${this.machineId}\n`);
    writeFileSync(join(etc, "hostname"), `${this.name}\n`);
    writeFileSync(join(etc, "hosts"), `127.0.0.1 localhost\n127.0.1.1 ${this.name}\n`);
    const lines = ["[Match]", "Name=host0", "", "[Network]", `Address=${this.address}/27`, ""];
    writeFileSync(join(etc, "systemd/network/10-host0.network"), lines.join("\n"));
    writeFileSync(this.knownHostsFile, `${this.address} ${hostKey}\n`);
    for (const user of ["root", "fleet", "secure"] as const) this.authorize(user);
    await must("chroot", [this.rootDir, "chpasswd"], { input: `secure:${this.fleet.sudoPassword}\n` });
  }

  private authorize(user: User): void {
    const account = readFileSync(join(this.rootDir, "etc/passwd"), "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .find(([name]) => name === user);
    if (!account?.[5]) throw new Error(`the base tree has no user ${user}`);
    const folder = join(this.rootDir, account[5], ".ssh");
    const keys = join(folder, "authorized_keys");
    mkdirSync(folder, { recursive: true });
    writeFileSync(keys, `${this.fleet.publicKey}\n`);
    for (const [path, mode] of [
      [folder, 0o700],
      [keys, 0o600],
    ] as const) {
      chmodSync(path, mode);
      chownSync(path, Number(account[2]), Number(account[3]));
    }
  }
}
