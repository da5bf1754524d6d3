import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, run, type Result, type RunOptions } from "./commands";
import { personalize, type Identity } from "./identity";
import { pause } from "./machine";
import type { Network } from "./network";
import { answersSsh, sshArguments } from "./ssh";

/** Who can log in, all with the run's client key: root, `fleet` (sudo without password), `secure` (sudo with one). */
export type User = "root" | "fleet" | "secure";

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

/** A test host as it is reached over SSH, whatever it runs on. */
export abstract class RemoteHost {
  readonly port = 22;
  readonly user = "root";
  readonly address: string;
  /** Everything of the host on this machine lies here, or beside it under the same name with an ending. */
  protected readonly folder: string;
  private identity: Identity = { machineId: "", hostKey: "" };

  protected constructor(
    readonly name: string,
    protected readonly fleet: Fleet,
    protected readonly number: number,
  ) {
    const { network } = fleet;
    this.address = network.address(number);
    this.folder = join(network.scratch, network.machine(number));
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

  /** The host's interface on the bridge, as this machine sees it. */
  protected get link(): string {
    return `vb-${this.fleet.network.machine(this.number)}`;
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

  /** Resolves when a user can log in and systemd has finished starting; also after a reboot the test did not ask for. */
  async ready(timeout = 240_000): Promise<void> {
    const deadline = Date.now() + timeout;
    while (Date.now() < deadline) {
      // Logins of users other than root open last, so this is the stricter question.
      if (await answersSsh(this.address)) {
        const state = await this.run("systemctl is-system-running --wait", { user: "fleet", timeout: 120_000 });
        if (["running", "degraded"].includes(state.stdout.trim())) return;
      }
      await pause(100);
    }
    throw new Error(`${this.name} does not answer over SSH after ${timeout} ms:\n${this.console()}`);
  }

  /** The end of what the host printed on its console. */
  protected abstract console(): string;

  /** Makes the tree this host's own. */
  protected async personalize(root: string): Promise<void> {
    this.identity = await personalize(root, { name: this.name, ...this.fleet });
    writeFileSync(this.knownHostsFile, `${this.address} ${this.hostKey}\n`);
  }
}
