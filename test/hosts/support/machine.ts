import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { must, script } from "./commands";

/** systemd-nspawn's exit code when the host asked for a reboot. */
const REBOOT = 133;

/** The power of one host: starts what it runs in, and starts that again when the host reboots. */
export class Machine {
  private child: ChildProcess | undefined;
  private boots = 0;

  /**
   * @param name of the host's control groups, which the command must enter: everything in them ends at a power cut
   * @param command the sh script that becomes the host, and its arguments
   */
  constructor(
    private readonly name: string,
    private readonly command: readonly [script: string, ...args: string[]],
    private readonly consoleFile: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  get running(): boolean {
    return this.child !== undefined;
  }

  /** How often the host has been started, by us or by its own reboot. */
  get bootCount(): number {
    return this.boots;
  }

  powerOn(): void {
    if (this.child) throw new Error(`${this.name} is on already`);
    this.boots++;
    const output = openSync(this.consoleFile, "a");
    // A session of its own: a Ctrl-C in the terminal is for the tests, which then clean up in order.
    const [name, ...args] = this.command;
    const child = spawn("sh", [script(name), ...args], {
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...process.env, ...this.env },
    });
    closeSync(output);
    child.unref();
    this.child = child;
    child.once("exit", (code) => {
      if (this.child !== child) return;
      this.child = undefined;
      if (code === REBOOT) this.powerOn();
    });
  }

  /** Resolves when the host is off; rejects when it is still on after `timeout` milliseconds. */
  async untilOff(timeout: number): Promise<void> {
    const deadline = Date.now() + timeout;
    while (this.running) {
      if (Date.now() > deadline) throw new Error(`${this.name} is still on after ${timeout} ms:\n${this.console()}`);
      await pause(50);
    }
  }

  /** Ends every process of the host at once, as a power cut does. */
  async kill(): Promise<void> {
    this.child = undefined;
    await must("sh", [script("kill.sh"), this.name]);
  }

  /** The end of what the host printed on its console. */
  console(): string {
    return readFileSync(this.consoleFile, "utf8").slice(-2000);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
