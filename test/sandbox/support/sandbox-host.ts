import type { ComponentResourceOptions } from "@pulumi/pulumi";
import type { Context } from "mocha";
import { BuildAgentSandbox, GoToolchainHost, type BuildAgentSandboxArgs } from "../../../src/index";
import { release, target } from "../../hosts/programs";
import { hosts, needsHosts, type Host } from "../../hosts/support/hosts";
import { packageRepository } from "../../mirror/support/packages";
import { Upstream } from "../../mirror/support/upstream";
import { NameServer } from "./name-server";
import { PackageServer } from "./package-server";

/** The component's directory on the hosts. */
export const COMPONENT = "gofleet-test-ci";

/** Where a job waits for its slot, as `<number>`: the script of the job. */
const QUEUE = "/srv/queue";

/** A disk for caches: layers over a module cache cannot lie on the test hosts' own, which is made of layers itself. */
export const CACHES = "/srv/caches";

/**
 * An agent as the forges' are, without a forge: it takes one job, a script, runs it in the job's checkout, says in the
 * journal how it ended, and ends. What it says first may be lost: journalctl passes over the first line of a unit that
 * comes after a cursor of another's.
 */
const AGENT = `#!/bin/sh
slot=\${USER##*-}
until [ -s ${QUEUE}/$slot ]; do sleep 0.1; done
job=$(cat ${QUEUE}/$slot)
echo "job begins"
sh -euc "$job"
echo "job ended: $?"
while [ -s ${QUEUE}/$slot ]; do sleep 0.1; done
`;

/** The module proxy's name, which no resolver of a host knows. */
export const PROXY_NAME = "modules.corp.example";

/**
 * What a sandbox's tests need around their hosts: packages, a module proxy as the only way out, and the only name server
 * that knows it.
 */
export class SandboxSurroundings {
  private constructor(
    readonly upstream: Upstream,
    readonly names: NameServer,
    private readonly packages: PackageServer,
  ) {}

  /**
   * Skips the tests where there can be no test hosts.
   * @param more packages that hosts can install, besides those that every builder needs
   */
  static async start(context: Context, more: readonly string[] = []): Promise<SandboxSurroundings> {
    needsHosts(context);
    const address = await hosts.operatorAddress();
    const repository = await packageRepository(["git", "gcc", "libc6-dev", "openssh-client", ...more]);
    return new SandboxSurroundings(
      await Upstream.start(address),
      await NameServer.start(address, { [PROXY_NAME]: address }),
      await PackageServer.start(address, repository),
    );
  }

  /** A host that finds packages, has the agent, and nothing else. Its own resolver, by a link, is one that never answers. */
  async host(name: string): Promise<Host> {
    const host = await hosts.boot(name);
    await host.exec(
      `mkdir -p /run/systemd/resolve && echo 'nameserver 127.0.0.53' >/run/systemd/resolve/stub-resolv.conf
       ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
       rm -rf /etc/apt/sources.list.d/*; echo '${this.packages.source}' >/etc/apt/sources.list
       echo 'tmpfs ${CACHES} tmpfs mode=755 0 0' >>/etc/fstab; mkdir -p ${QUEUE} ${CACHES} && mount ${CACHES}; cat >/usr/local/bin/test-agent; chmod 0755 /usr/local/bin/test-agent`,
      { input: AGENT },
    );
    return host;
  }

  /** A program with a toolchain and a sandbox that jobs leave only for modules. */
  program(host: Host, more: Partial<BuildAgentSandboxArgs> = {}, opts: ComponentResourceOptions = {}) {
    return async () => {
      const go = new GoToolchainHost("go", {
        target: target(host),
        go: release("1.26.7"),
        source: { kind: "module", proxy: this.upstream.url },
        env: { GOPROXY: this.upstream.url },
      });
      const ci = new BuildAgentSandbox("ci", { ...this.args(host), ...more, toolchain: go }, opts);
      return { units: ci.units, caches: ci.caches, exposure: ci.exposure, hosts: ci.hosts };
    };
  }

  args(host: Host): Omit<BuildAgentSandboxArgs, "toolchain"> {
    const { port } = new URL(this.upstream.url);
    return {
      target: target(host),
      agent: { kind: "exec", command: ["/usr/local/bin/test-agent"], stop: { within: "10 s" } },
      slots: 2,
      cache: { kind: "tmpfs", size: "512 MiB", persist: false, path: CACHES },
      limits: { memory: "3 GiB", cpus: 2, tasks: 2048 },
      network: { allow: [{ host: PROXY_NAME, ports: [Number(port)], modules: true }], resolver: this.names.address },
      modules: { env: { GOPROXY: `http://${PROXY_NAME}:${port}` } },
      // A test of its own has it.
      hardening: { canary: false },
      // The kernel of this machine has no AppArmor.
      confinement: "off",
    };
  }

  /** Ends the hosts too. */
  async stop(): Promise<void> {
    await this.upstream.stop();
    await this.packages.stop();
    this.names.stop();
    await hosts.stopAll();
  }
}

/** One job of a slot: what it printed, and the status of its script. Resolves when the slot waits for its next one. */
export async function job(host: Host, slot: number, script: string): Promise<{ output: string; status: number }> {
  const unit = `gofleet-${COMPONENT}@${slot}`;
  const since = (await host.exec("journalctl -n 1 --show-cursor -q | sed -n 's/^-- cursor: //p'")).trim();
  await host.exec(`cat >${QUEUE}/.${slot} && chmod 0644 ${QUEUE}/.${slot} && mv ${QUEUE}/.${slot} ${QUEUE}/${slot}`, {
    input: script,
  });
  const log = `journalctl -q -o cat --after-cursor='${since}' -u ${unit}`;
  const ended = await host.exec(
    `for i in $(seq 600); do ${log} | grep -q '^job ended: ' && break; sleep 0.2; done; ${log}
     pid() { systemctl show -P MainPID ${unit}; }
     ended=$(pid); rm -f ${QUEUE}/${slot}
     for i in $(seq 300); do now=$(pid); [ "$now" = 0 ] || [ "$now" = "$ended" ] || break; sleep 0.1; done`,
    { timeout: 180_000 },
  );
  const status = /^job ended: (\d+)$/m.exec(ended)?.[1];
  if (status === undefined) throw new Error(`the job of slot ${slot} did not end:\n${ended}`);
  return { output: ended, status: Number(status) };
}
