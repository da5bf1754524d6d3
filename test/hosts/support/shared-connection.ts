import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { script } from "./commands";
import { pause } from "./machine";

/** Milliseconds; whoever is asked may be busy with anything. */
const OPENS_WITHIN = 300_000;
/** Both ends may be slow, and neither gives the other up. */
const PATIENT = ["ConnectTimeout=60", "ServerAliveInterval=60", "ServerAliveCountMax=10"].flatMap((each) => [
  "-o",
  each,
]);

/**
 * One SSH connection that all commands share: to make another for each takes an emulated processor seconds, and one that
 * is busy longer than anybody waits.
 */
export class SharedConnection {
  /** For `ssh`, before its other arguments: it makes a connection of its own where there is none to share. */
  readonly sshArguments: readonly string[];

  /** @param group the host's control group: the connection ends with it */
  constructor(
    private readonly group: string,
    private readonly socket: string,
  ) {
    this.sshArguments = ["-S", socket, ...PATIENT];
  }

  /** @param login the arguments of `ssh` that log in */
  async open(login: readonly string[]): Promise<void> {
    const deadline = Date.now() + OPENS_WITHIN;
    let child: ChildProcess | undefined;
    while (!existsSync(this.socket)) {
      if (Date.now() > deadline) throw new Error(`no SSH connection after ${OPENS_WITHIN} ms: ${login.join(" ")}`);
      if (child === undefined || child.exitCode !== null) child = this.start(login);
      await pause(100);
    }
  }

  private start(login: readonly string[]): ChildProcess {
    const args = [script("in-group.sh"), this.group, "ssh", "-M", "-N", ...this.sshArguments, ...login];
    const child = spawn("sh", args, { detached: true, stdio: "ignore" });
    child.unref();
    return child;
  }
}
