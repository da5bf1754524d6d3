import type { Connect } from "../../src/host/connect";
import { formatConnection } from "../../src/host/connection";
import { HostQueue } from "../../src/host/host-queue";
import { planInputs, type ReleaseInputs } from "../../src/host/release";
import { ReleaseManager } from "../../src/host/release-manager";
import { AT_ONCE, type Rollout } from "../../src/model/rollout";
import { EMPTY_PLAN, type HostPlan, type PlanFile } from "../../src/plan/host-plan";
import type { Host } from "../../test/hosts/support/hosts";

/** What a service takes until it serves: its restart returns when it does. */
const START_SECONDS = 1;

export const UNIT = (name: string): string => `bench-${name}.service`;
/** sh: exits 0 once the service runs. */
export const PROBE = (name: string): string => `systemctl is-active --quiet ${UNIT(name)}`;

const SILENT = { status: () => undefined, warn: () => undefined, info: () => undefined };

export function manager(connect: Connect): ReleaseManager {
  const stop = new AbortController().signal;
  return new ReleaseManager({ connect, progress: SILENT, stop, queue: new HostQueue() });
}

/** A generation of a service: its unit and its settings, restarted and probed on every host. */
export function release(
  generation: number,
  hosts: Readonly<Record<string, string>>,
  rollout: Pick<Rollout, "canary" | "batch">,
  name = "six",
): ReleaseInputs {
  const settings = `/etc/bench-${name}.conf`;
  const unit = `/etc/systemd/system/${UNIT(name)}`;
  const texts: Record<string, string> = {
    [settings]: `generation = ${generation}\n`,
    [unit]: `[Unit]
Description=Benchmark service

[Service]
ExecStartPre=/bin/sleep ${START_SECONDS}
ExecStart=/bin/sleep infinity
`,
  };
  const files = Object.entries(texts).map(([path, text]): PlanFile => ({
    path,
    text,
    mode: "0644",
    owner: "root",
    group: "root",
    place: "link",
  }));
  const plan: HostPlan = {
    ...EMPTY_PLAN,
    files,
    units: [{ name: UNIT(name), onChange: "restart", reads: [settings, unit] }],
    probes: [{ name: "active", timeout: 10, script: `${PROBE(name)}\n` }],
  };
  return inputsOf(`bench-${name}`, plan, hosts, rollout);
}

/** What the engine would hand the provider for a plan on those hosts. */
export function inputsOf(
  component: string,
  plan: HostPlan,
  hosts: Readonly<Record<string, string>>,
  rollout: Partial<Rollout> = {},
): ReleaseInputs {
  return {
    component,
    stack: "bench/bench/bench",
    resourceUrn: "urn:pulumi:bench::bench::bench::bench",
    files: Object.fromEntries(plan.files.map(({ path, text }) => [path, text])),
    plan: planInputs(plan),
    hosts,
    policy: {
      unreachable: "fail",
      adopt: "refuse",
      onNewMachine: "fail",
      keep: 3,
      deadline: 120,
      connect: 10,
      unsupported: "refuse",
    },
    rollout: { ...AT_ONCE, ...rollout },
  };
}

/** Connections of booted hosts. */
export function linesOf(hosts: readonly Host[]): Record<string, string> {
  return Object.fromEntries(
    hosts.map(({ name, address, hostKey, user, identityFile }) => [
      name,
      formatConnection({ kind: "ssh", host: address, user, identity: identityFile, hostKey }),
    ]),
  );
}
