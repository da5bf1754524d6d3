import * as pulumi from "@pulumi/pulumi";
import { storeTool } from "../host/host-tools";
import { resolveAthens } from "../model/mirror/athens";
import { clientEnvironment } from "../model/mirror/client";
import { resolveFront } from "../model/mirror/front-resolve";
import { resolveStore } from "../model/mirror/store";
import { acmePaths } from "../plan/mirror/acme-paths";
import { mirrorPlan, type MirrorParts } from "../plan/mirror/mirror";
import { mirrorPlace } from "../plan/mirror/place";
import { HostRelease, type HostFacts } from "../targets/host-release";
import { checkMirrorArgs, type GoProxyMirrorArgs } from "./mirror-args";
import { mirrorMonitoring, type MirrorMonitoring } from "./mirror-monitoring";
import { checkedRef, outputsOf, type GoProxyMirrorOutputs, type GoProxyMirrorRef } from "./mirror-ref";
import { mirrorSecrets } from "./mirror-secrets";
import { mirrorTexts } from "./mirror-texts";
import { releaseArgs, targetSummary, throwIssues } from "./release-args";

/**
 * A module mirror on a host: Athens behind an nginx of its own, which serves what is stored straight from the disk, asks
 * Athens for the rest, and lets no private name out.
 *
 * ```ts
 * const mirror = new GoProxyMirror("goproxy", {
 *   target: ssh({ host: "goproxy.corp.example", user: "fleet", become: "sudo" }),
 *   domain: "goproxy.corp.example",
 *   tls: { certificate: config.require("tlsCertificate"), key: config.requireSecret("tlsKey") },
 *   storage: { kind: "disk", path: "/srv/athens", max: "200 GiB" },
 *   privateModules: ["git.corp.example"],
 *   go: lock("1.26"),
 *   upstream: ["https://modules.corp.example", "direct"],
 * });
 * ```
 *
 * On the host: two users, the units `gofleet-<directory>-athens`, `-nginx` and `-store` (with its timer), their settings
 * in `/etc/gofleet/<directory>/`, a Go toolchain of its own, the packages `nginx`, `git`, `openssl` and
 * `ca-certificates`. It listens on the front's port, and on `statusPort` of 127.0.0.1 for metrics.
 */
export class GoProxyMirror extends pulumi.ComponentResource implements GoProxyMirrorOutputs {
  /** The mirror as plain data, for an export. */
  readonly ref: pulumi.Output<GoProxyMirrorRef>;
  readonly origin: pulumi.Output<string>;
  readonly goEnv: pulumi.Output<Record<string, string>>;
  readonly ca: pulumi.Output<string>;
  /** Files for the Prometheus and the Grafana that look after it. */
  readonly monitoring: MirrorMonitoring;
  /** The resources it is made of. */
  readonly nodes: { readonly release: HostRelease };

  /**
   * @param name part of its identity in the stack and, by default, of its directory on the hosts
   * @throws InputPropertiesError with every argument that will not do
   */
  constructor(name: string, args: GoProxyMirrorArgs, opts?: pulumi.ComponentResourceOptions) {
    const now = new Date();
    throwIssues(`GoProxyMirror "${name}"`, checkMirrorArgs(args, now));
    const shared = releaseArgs(args, name);
    const upstream = args.upstream;
    const athens = resolveAthens<pulumi.Input<string>>({
      ...args.athens,
      storage: args.storage,
      goEnv: { ...args.athens?.goEnv, ...(upstream && { GOPROXY: upstream.join(",") }) },
    });
    const privateModules = args.privateModules ?? [];
    const store = args.storage.kind === "disk" ? args.storage : undefined;
    const parts: MirrorParts = {
      place: mirrorPlace(shared.component),
      toolchain: { go: args.go, ...(args.source && { source: args.source }) },
      athens,
      front: resolveFront(args, {
        ...(store && { store: store.path }),
        privateModules,
        ...(args.client?.privateFrom && { privateFrom: args.client.privateFrom }),
        stashTimeout: athens.timeouts.stash,
        timeout: athens.timeouts.external,
      }),
      store: store && resolveStore({ offline: athens.networkMode === "offline", ...args.store }, store),
      storeSource: storeTool(),
      privateModules,
      proxies: (upstream ?? []).filter((each) => each !== "direct"),
    };
    super(
      "gofleet:index:GoProxyMirror",
      name,
      {
        domain: args.domain,
        port: parts.front.port,
        storage: args.storage.kind,
        athens: athens.version,
        go: args.go.version,
        privateModules,
        target: targetSummary(args.target),
        directory: shared.component,
      },
      opts,
    );

    const plan = mirrorPlan<pulumi.Input<string>>(parts, mirrorTexts(parts, athens, args, now));
    const secrets = mirrorSecrets(parts, athens, args);
    const policy = { ...shared.policy, ...keptData(parts, args.keepStore !== false) };
    const release = new HostRelease(`${name}-release`, { ...shared, plan, secrets, policy }, { parent: this });

    const { domain, port } = parts.front;
    const origin = `https://${domain}${port === 443 ? "" : `:${port}`}`;
    const goEnv = clientEnvironment(origin, privateModules, args.client);
    // Known to others once the hosts have it: who uses the mirror waits for it.
    this.ref = pulumi
      .all([args.tls.acme?.ca ?? args.tls.ca ?? "", release.actual])
      .apply(([ca]) => ({ origin, goEnv: goEnv as Record<string, string>, ca }));
    ({ origin: this.origin, goEnv: this.goEnv, ca: this.ca } = outputsOf(this.ref));
    this.monitoring = mirrorMonitoring(parts);
    this.nodes = { release };
    this.registerOutputs({ origin: this.origin });
  }

  /** What is true of each host, by its key. */
  get hosts(): pulumi.Output<Record<string, HostFacts>> {
    return this.nodes.release.hostFacts();
  }

  /** A mirror of another stack, by the ref that stack exported. */
  static from(ref: pulumi.Input<GoProxyMirrorRef>): GoProxyMirrorOutputs {
    return outputsOf(checkedRef(ref));
  }
}

/** What destroy leaves on the hosts. */
function keptData({ front, place, store }: MirrorParts, keepStore: boolean): { readonly keepData?: string[] } {
  const { domain, tls } = front;
  const kept = [
    ...(store && keepStore ? [store.path] : []),
    ...(tls.kind === "acme" && tls.acme.keep ? [acmePaths(place, domain, tls.acme).state] : []),
  ];
  return kept.length > 0 ? { keepData: kept } : {};
}
