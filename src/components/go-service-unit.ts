import * as pulumi from "@pulumi/pulumi";
import { resolveMetrics } from "../model/service/metrics";
import type { ResolvedRelease } from "../model/service/release";
import type { FoundIdentity } from "../model/service/release-identity";
import { resolveService } from "../model/service/service";
import { resolveWatch } from "../model/service/watch";
import type { ServiceParts } from "../plan/service/parts";
import { servicePlace } from "../plan/service/place";
import { IDENTITY } from "../plan/service/release";
import { servicePlan } from "../plan/service/service";
import { HostRelease, type HostFacts } from "../targets/host-release";
import { exposureOf, readingOf } from "./reading";
import { releaseArgs, targetSummary, throwIssues } from "./release-args";
import { checkServiceArgs, type GoServiceUnitArgs } from "./service-args";
import { serviceMonitoring, type ServiceMonitoring } from "./service-monitoring";
import { serviceRelease, type ServiceReleaseResult } from "./service-release";
import { serviceTexts } from "./service-texts";

/**
 * A Go program as a service of a host: fetched and checked, confined, probed, restarted within bounds, and put back to
 * the release before where it does not become healthy.
 *
 * ```ts
 * const cache = new GoServiceUnit("buildcache", {
 *   target: builders,
 *   release: { url: "https://dl.corp.example/buildcached-1.8.2", sha256: "…" },
 *   exec: ["buildcached", "--listen", "127.0.0.1:7070"],
 *   secrets: { token: config.requireSecret("token") },
 *   health: { get: "http://127.0.0.1:7070/healthz", within: "30 s" },
 *   limits: { memory: "2 GiB", cpus: 2 },
 *   rollback: { keep: 3 },
 * });
 * ```
 *
 * On the host: the unit `gofleet-<directory>.service`, one `gofleet-<directory>-<name>.socket` for each socket, the
 * program below `/usr/local/lib/gofleet/<directory>/`, its settings in `/etc/gofleet/<directory>/`, a user where one is
 * named, the package `curl` where it has `health`, and a rule of rsyslog where `journal` has one. Program, unit, variables,
 * files and secrets switch together.
 */
export class GoServiceUnit extends pulumi.ComponentResource {
  /** The unit, `gofleet-<directory>.service`. */
  readonly unit: string;
  /** The release that the hosts run, 16 hex digits; more than one, with commas between, where they differ. */
  readonly activeRelease: pulumi.Output<string>;
  /** Files for the Prometheus and the Grafana that look after it, where `metrics` says what it tells them. */
  readonly monitoring: ServiceMonitoring | undefined;
  /** The resources it is made of. */
  readonly nodes: { readonly release: HostRelease };

  /**
   * @param name part of its identity in the stack and, by default, of its directory on the hosts
   * @throws InputPropertiesError with every argument that will not do
   */
  constructor(name: string, args: GoServiceUnitArgs, opts?: pulumi.ComponentResourceOptions) {
    throwIssues(`GoServiceUnit "${name}"`, checkServiceArgs(args));
    const program = serviceRelease("release", args.release, args.exec[0]);
    throwIssues(`GoServiceUnit "${name}"`, program.issues);
    const shared = releaseArgs({ ...args, ...args.rollback }, name);
    const service = resolveService(args);
    const watch = args.rollback?.watch;
    const parts: ServiceParts = {
      place: servicePlace(shared.component),
      service,
      hasEnvironment: Object.keys(args.env ?? {}).length > 0,
      release: resolved(program),
      watch: watch === false ? undefined : resolveWatch(watch),
      irreversible: args.rollback?.revert === false,
    };
    super(
      "gofleet:index:GoServiceUnit",
      name,
      {
        release: args.release,
        exec: args.exec,
        user: service.user ?? "dynamic",
        limits: args.limits,
        notify: service.health.notify,
        update: service.update,
        hardening: { off: service.off },
        rollback: args.rollback,
        metrics: args.metrics,
        target: targetSummary(args.target),
        directory: shared.component,
      },
      opts,
    );

    const plan = servicePlan<pulumi.Input<string>>(parts, serviceTexts(parts, args));
    const release = new HostRelease(
      `${name}-release`,
      {
        ...shared,
        plan,
        ...(args.secrets && { secrets: args.secrets }),
        policy: { ...shared.policy, ...kept(parts, args.keepState) },
      },
      { parent: this },
    );

    this.unit = parts.place.unit;
    this.activeRelease = release
      .hostFacts()
      .apply((hosts) => [...new Set(Object.values(hosts).map((host) => host.release))].sort().join(", "));
    this.monitoring =
      args.metrics &&
      serviceMonitoring(shared.component, resolveMetrics(args.metrics, args), service.limits.memoryBytes, args.target);
    this.nodes = { release };
    this.registerOutputs({ unit: this.unit, activeRelease: this.activeRelease });
  }

  /**
   * How exposed the unit is as systemd on the hosts reckons it, from 0 (not at all) to 10.
   *
   * @see systemd-analyze(1), "security"
   */
  get exposure(): pulumi.Output<number> {
    return exposureOf(this.nodes.release);
  }

  /**
   * What the program says of itself on the hosts: module, package, version, revision, Go release; empty for one that is
   * not Go's. The first host by its key speaks for all.
   */
  get identity(): pulumi.Output<FoundIdentity> {
    return readingOf(this.nodes.release, IDENTITY, {});
  }

  /** What is true of each host, by its key. */
  get hosts(): pulumi.Output<Record<string, HostFacts>> {
    return this.nodes.release.hostFacts();
  }
}

/** Its issues have been thrown. */
function resolved({ release }: ServiceReleaseResult): ResolvedRelease {
  if (release === undefined) throw new Error("a release without issues is one that a plan takes");
  return release;
}

/** With a dynamic user the directory itself is below `private`, and there is a link to it. */
function kept({ place, service }: ServiceParts, keepState = true): { keepData?: string[] } {
  if (!service.directories.state || !keepState) return {};
  const { directory } = place;
  return {
    keepData: [`/var/lib/${directory}`, ...(service.user === undefined ? [`/var/lib/private/${directory}`] : [])],
  };
}
