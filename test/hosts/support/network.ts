import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must, script } from "./commands";

/** One run's share of the machine: a bridge with its own /27 of 192.0.2.0/24, and a folder for trees and keys. */
export class Network {
  private readonly used = new Set<number>();
  private released = false;

  private constructor(
    private readonly index: number,
    /** Holds everything the run puts on disk; gone after `release`. */
    readonly scratch: string,
  ) {}

  /** Claims a free network, after sweeping what killed runs left behind (their hosts, mounts, bridges, trees). */
  static async claim(): Promise<Network> {
    const scratch = mkdtempSync(join(tmpdir(), "gofleet-hosts-"));
    const index = await must("sh", [script("run.sh"), "claim", String(process.pid), scratch]);
    mkdirSync(scratch, { recursive: true });
    return new Network(Number(index), scratch);
  }

  get bridge(): string {
    return `gofleet${this.index}`;
  }

  /** This machine's address on the bridge: where hosts reach a server that a test runs. */
  get operatorAddress(): string {
    return this.address(1);
  }

  /** Takes a place on the network; numbers 2 to 30. */
  take(): number {
    for (let number = 2; number <= 30; number++) {
      if (this.used.has(number)) continue;
      this.used.add(number);
      return number;
    }
    throw new Error("29 test hosts are up, which is all a /27 holds; stop some first");
  }

  give(number: number): void {
    this.used.delete(number);
  }

  address(number: number): string {
    return `192.0.2.${32 * this.index + number}`;
  }

  /** Name of a host's machine and control group; its interface on the bridge is `vb-` + this, 15 characters at most. */
  machine(number: number): string {
    return `gofleet-${this.index}-${number}`;
  }

  /** Ends every host of the run and removes all it made. Synchronous: it also runs while the process ends. */
  release(): void {
    // The number may belong to another run by the second call.
    if (this.released) return;
    this.released = true;
    execFileSync("sh", [script("run.sh"), "release", String(this.index)], { stdio: ["ignore", "ignore", "inherit"] });
  }
}
