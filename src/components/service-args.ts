import type * as pulumi from "@pulumi/pulumi";
import { isFields } from "../model/check";
import { checkFields, flag, optional, type ValueCheck } from "../model/field-checks";
import { isLater, issue, type Issue } from "../model/issues";
import { checkService } from "../model/service/check";
import type { MetricsArgs } from "../model/service/metrics-args";
import { checkMetrics } from "../model/service/metrics-check";
import type { ServiceRelease } from "../model/service/release";
import { checkRelease } from "../model/service/release-check";
import type { ServiceArgs } from "../model/service/service";
import { checkWatch, type WatchArgs } from "../model/service/watch";
import { checkMachines, hostsOf } from "./machines";
import { checkKeep, checkReleaseArgs, RELEASE_KEYS, type ReleaseArgs } from "./release-args";

/** Arguments of `GoServiceUnit`. */
export interface GoServiceUnitArgs extends Omit<ReleaseArgs, "keep">, ServiceArgs<pulumi.Input<string>> {
  /**
   * The program: fetched by each host and checked by its sha256 (`url`), a file of this machine (`file`), or built here
   * (`build`).
   */
  readonly release: ServiceRelease;
  /**
   * Which releases a host keeps, and when it goes back to one by itself.
   * @default { keep: 3 }, with the watch of `WatchArgs`
   */
  readonly rollback?: RollbackArgs;
  /**
   * What the service tells Prometheus, for the output `monitoring`; nothing on the hosts depends on it.
   * @default no `monitoring`
   */
  readonly metrics?: MetricsArgs;
  /**
   * Whether what the service wrote into its state directory stays when the service goes.
   * @default true
   */
  readonly keepState?: boolean;
}

/** Going back to an older release. */
export interface RollbackArgs {
  /**
   * Releases kept on the host for going back, the current one included; 2 to 20.
   * @default 3
   */
  readonly keep?: number;
  /**
   * False: this release is irreversible, such as one that migrates data in place, and no older one may run after it. Once
   * a host has started it, it stays there: a failed probe, a failed gate, `onFailure` of the rollout and the host's watch
   * say what is wrong, end the rollout and take nothing back; the next `pulumi up` goes on from there. `gofleet rollback`
   * to a release from before it is refused without `--force`. It holds for the release that says so, not for later ones.
   * @default true
   */
  readonly revert?: boolean;
  /**
   * How each host looks after the service by itself after a switch, and goes back by itself; `false`: not at all.
   * @default 10 minutes, see `WatchArgs`
   */
  readonly watch?: WatchArgs | false;
}

const KEYS = ["release", "rollback", "metrics", "keepState", ...RELEASE_KEYS.filter((key) => key !== "keep")];

/** Everything that is wrong with the arguments of a service. */
export function checkServiceArgs(args: unknown): Issue[] {
  if (!isFields(args)) return [issue("", args, "an object such as { target, release, exec, health }")];
  const { release, rollback, metrics, keepState, exec } = args;
  const service = checkService(args, { isUnknown: isLater, otherKeys: KEYS });
  const program: unknown = Array.isArray(exec) ? exec[0] : undefined;
  return [
    ...checkReleaseArgs(args),
    ...checkMachines(hostsOf(args["target"])),
    ...(release === undefined
      ? [issue("release", undefined, 'where the program comes from, such as { url: "https://…", sha256: "…" }')]
      : checkRelease("release", release, typeof program === "string" ? program : undefined)),
    ...service,
    ...optional("rollback", rollback, checkRollback),
    ...optional("metrics", metrics, (path, given) =>
      checkMetrics(path, given, service.length === 0 ? args : undefined),
    ),
    ...optional("keepState", keepState, flag),
  ];
}

const checkRollback: ValueCheck = (path, given) =>
  checkFields(path, given, { keep: checkKeep, revert: flag, watch: checkWatchArg });

const checkWatchArg: ValueCheck = (path, given) => (given === false ? [] : checkWatch(path, given));
