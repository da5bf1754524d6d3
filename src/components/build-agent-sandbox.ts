import * as pulumi from "@pulumi/pulumi";
import { sandboxTool } from "../host/host-tools";
import { resolveSandbox } from "../model/sandbox/sandbox";
import { sandboxParts, type SandboxParts } from "../plan/sandbox/parts";
import { sandboxPlan } from "../plan/sandbox/sandbox";
import { HostRelease, type HostFacts } from "../targets/host-release";
import { exposureOf } from "./reading";
import { releaseArgs, targetSummary, throwIssues } from "./release-args";
import { checkSandboxArgs, type BuildAgentSandboxArgs } from "./sandbox-args";
import { sandboxMonitoring, type SandboxMonitoring } from "./sandbox-monitoring";
import { sandboxSecrets } from "./sandbox-secrets";
import { sandboxTexts } from "./sandbox-texts";
import { toolchainDependencies, toolchainPlace } from "./toolchain-arg";

/**
 * A host that runs untrusted builds: an agent in slots, each a confined systemd unit with a user, a workspace and caches
 * of its own, within limits, behind a firewall that lets through what is listed.
 *
 * ```ts
 * const go = new GoToolchainHost("go", { target: builders, go: lock("1.26"), mirror });
 *
 * new BuildAgentSandbox("ci", {
 *   target: builders,
 *   toolchain: go,
 *   agent: { kind: "exec", command: ["/usr/local/bin/runner", "--once"] },
 *   slots: 2,
 *   cache: { size: "24 GiB" },
 *   limits: { memory: "48 GiB", cpus: 12 },
 *   network: { allow: [mirror, { host: "git.corp.example", ports: [22, 443] }], resolver: "10.20.0.53" },
 * });
 * ```
 *
 * On the host: a user for each slot and one for the shared module cache, the units `gofleet-<directory>@<slot>` in a slice
 * of their own, services and timers for watermarks, modules, the firewall and AppArmor, their settings in
 * `/etc/gofleet/<directory>/`, caches below `/var/cache`, workspaces below `/var/lib`, the packages `git`, `nftables` and
 * `apparmor`. It listens on no port.
 */
export class BuildAgentSandbox extends pulumi.ComponentResource {
  /** The slots' units, `gofleet-<directory>@1.service` and on. */
  readonly units: readonly string[];
  /** Build caches that jobs write, in the order of the slots; one where they share it. */
  readonly caches: readonly string[];
  /** Files for the Prometheus and the Grafana that look after it. */
  readonly monitoring: SandboxMonitoring;
  /** The resources it is made of. */
  readonly nodes: { readonly release: HostRelease };

  /**
   * @param name part of its identity in the stack and, by default, of its directory on the hosts
   * @throws InputPropertiesError with every argument that will not do
   */
  constructor(name: string, args: BuildAgentSandboxArgs, opts?: pulumi.ComponentResourceOptions) {
    throwIssues(`BuildAgentSandbox "${name}"`, checkSandboxArgs(args));
    const shared = releaseArgs(args, name);
    const sandbox = resolveSandbox(args);
    const parts = sandboxParts(shared.component, sandbox, toolchainPlace(args.toolchain), sandboxTool());
    super(
      "gofleet:index:BuildAgentSandbox",
      name,
      {
        agent: args.agent.kind,
        slots: sandbox.slots,
        cache: args.cache,
        modules: { max: args.modules?.max },
        limits: args.limits,
        confinement: sandbox.confinement,
        userNamespaces: sandbox.userNamespaces,
        hardening: sandbox.hardening,
        target: targetSummary(args.target),
        directory: shared.component,
      },
      opts,
    );

    const plan = sandboxPlan<pulumi.Input<string>>(parts, sandboxTexts(parts, args));
    const release = new HostRelease(
      `${name}-release`,
      {
        ...shared,
        plan,
        secrets: sandboxSecrets(args.agent),
        policy: { ...shared.policy, ...kept(parts, args.keepCaches) },
      },
      { parent: this, dependsOn: toolchainDependencies(args.toolchain) },
    );

    this.units = parts.slots.map(({ unit }) => unit);
    this.caches = parts.buildCaches.map(({ path }) => path);
    this.monitoring = sandboxMonitoring(shared.component, sandbox, args.target);
    this.nodes = { release };
    this.registerOutputs({ units: this.units, caches: this.caches });
  }

  /**
   * How exposed a slot is as systemd on the hosts reckons it, from 0 (not at all) to 10.
   *
   * @see systemd-analyze(1), "security"
   */
  get exposure(): pulumi.Output<number> {
    return exposureOf(this.nodes.release);
  }

  /** What is true of each host, by its key. */
  get hosts(): pulumi.Output<Record<string, HostFacts>> {
    return this.nodes.release.hostFacts();
  }
}

function kept({ place }: SandboxParts, keepCaches = false): { keepData?: string[] } {
  return keepCaches ? { keepData: [place.cache] } : {};
}
