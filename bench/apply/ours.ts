import { HostComponent } from "../../src/host/host-component";
import { prepare } from "../../src/host/prepared-release";
import type { Actual, ReleaseInputs } from "../../src/host/release";
import { planInputs } from "../../src/host/release";
import { formatConnection, type SshConnection } from "../../src/host/connection";
import { AT_ONCE } from "../../src/model/rollout";
import { SshTransport } from "../../src/host/ssh-transport";
import { EMPTY_PLAN, type HostPlan } from "../../src/plan/host-plan";
import type { Host } from "../../test/hosts/support/hosts";
import { workload, type Workload } from "./workload";

const INSTANCE = "0123456789abcdef0123456789abcdef";
const KEY = "00".repeat(32);
const SILENT = { status: () => undefined, warn: () => undefined, info: () => undefined };

/** The job as our host step does it: what the provider runs for one host, without the engine around it. */
export class Ours {
  private state: Actual | undefined;

  constructor(private readonly host: Host) {}

  /** A generation's release, over a login of its own as in every run of the engine. */
  async apply(generation: number): Promise<void> {
    const inputs = releaseInputs(this.host, plan(workload(generation)));
    const { address, identityFile, hostKey, user } = this.host;
    const connection: SshConnection = { kind: "ssh", host: address, user, identity: identityFile, hostKey };
    const transport = new SshTransport(connection);
    try {
      const release = new HostComponent("rack", {
        inputs,
        instance: INSTANCE,
        connect: () => transport,
        progress: SILENT,
      });
      const { actual } = await release.apply(prepare(inputs, KEY), this.state);
      this.state = actual;
    } finally {
      transport.close();
    }
  }
}

function plan({ files, units, probe }: Workload): HostPlan {
  return {
    ...EMPTY_PLAN,
    files: Object.entries(files).map(([path, text]) => ({
      path,
      text,
      mode: "0644",
      owner: "root",
      group: "root",
      place: "link",
    })),
    units: units.map((name) => ({
      name,
      onChange: "restart",
      reads: ["/etc/benchd/generation", `/etc/systemd/system/${name}`],
    })),
    probes: [{ name: "generation", timeout: 10, script: `${probe}\n` }],
  };
}

function releaseInputs({ address, hostKey, user }: Host, plan: HostPlan): ReleaseInputs {
  return {
    component: "bench",
    stack: "bench/bench/bench",
    resourceUrn: "urn:pulumi:bench::bench::bench::bench",
    files: Object.fromEntries(plan.files.map(({ path, text }) => [path, text])),
    plan: planInputs(plan),
    hosts: { rack: formatConnection({ kind: "ssh", host: address, user, hostKey }) },
    policy: {
      unreachable: "fail",
      adopt: "refuse",
      onNewMachine: "fail",
      keep: 3,
      deadline: 120,
      connect: 10,
      unsupported: "refuse",
    },
    rollout: AT_ONCE,
  };
}
