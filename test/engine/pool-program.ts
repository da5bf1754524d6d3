import { mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GoToolchainHost, hostPool, lock, ssh, type GoToolchainHostArgs, type HostPoolArgs } from "gofleet";
import { REPOSITORY } from "../support/engine/project";
import { removeTree } from "../support/remove-tree";

/** What one simulated host has, as `test/support/fake-hosts.cjs` writes it. */
export interface FakeHost {
  machine: string;
  components: Record<
    string,
    {
      release: string;
      instance: string;
      stack: string;
      kept?: string[];
      drift?: Record<string, string>;
      decision?: Record<string, string>;
    }
  >;
  fault?: string;
  visits?: string[];
}

/** A directory of simulated hosts. */
export class FakeHosts {
  readonly directory = mkdtempSync(join(tmpdir(), "gofleet-fake-"));

  /** What the engine's processes need to reach these hosts. */
  get env(): Record<string, string> {
    return {
      GOFLEET_TRANSPORT: join(REPOSITORY, "test/support/fake-hosts.cjs"),
      GOFLEET_FAKE_STATE: this.directory,
    };
  }

  read(address: string): FakeHost {
    const path = join(this.directory, `${address}.json`);
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as FakeHost) : { machine: "", components: {} };
  }

  change(address: string, change: (host: FakeHost) => void): void {
    const host = this.read(address);
    change(host);
    mkdirSync(this.directory, { recursive: true });
    const path = join(this.directory, `${address}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(host));
    renameSync(`${path}.new`, path);
  }

  /** Sets or clears a fault on hosts that were visited before. */
  fault(address: string, fault?: string): void {
    this.change(address, (host) => {
      if (fault === undefined) delete host.fault;
      else host.fault = fault;
    });
  }

  /** The release of a component on each host; empty where there is none. */
  releases(addresses: readonly string[], component: string): string[] {
    return addresses.map((address) => this.read(address).components[component]?.release ?? "");
  }

  /** The host's own watch puts the release before back. */
  goesBack(address: string, component: string, why: string): void {
    this.change(address, ({ components: { [component]: on } }) => {
      const to = on?.kept?.pop();
      if (on === undefined || to === undefined) throw new Error(`${address} has nothing to go back to`);
      const evidence = `/var/lib/gofleet/${component}/runs/x-watch/evidence`;
      on.decision = { time: "2026-03-01T10:15:00Z", from: on.release, to, msg: why, evidence };
      on.release = to;
    });
  }

  forgetVisits(addresses: readonly string[]): void {
    for (const address of addresses) this.change(address, (host) => (host.visits = []));
  }

  remove(): void {
    removeTree(this.directory);
  }
}

export const LOCK = join(REPOSITORY, "gofleet.lock.json");

/** Addresses 10.0.0.1 … for keys rack-1 …; simulated, nothing is ever sent there. */
export const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`);

export function pool(count: number, more: Omit<HostPoolArgs, "hosts"> = {}): ReturnType<typeof hostPool> {
  const hosts = Object.fromEntries(addresses(count).map((host, i) => [`rack-${i + 1}`, ssh({ host, user: "root" })]));
  return hostPool({ hosts, ...more });
}

/** A program with one toolchain component on the target. */
export function toolchain(args: Pick<GoToolchainHostArgs, "target"> & Partial<GoToolchainHostArgs>, name = "go") {
  return async () => {
    const go = new GoToolchainHost(name, {
      go: lock("1.26.8", LOCK),
      source: { kind: "module", proxy: "http://127.0.0.1:9" },
      ...args,
    });
    return { version: go.goVersion, hosts: go.hosts };
  };
}
