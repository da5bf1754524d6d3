import * as pulumi from "@pulumi/pulumi";
import { at, isFields } from "../model/check";
import { checkFields, whole } from "../model/field-checks";
import { issue, type Issue } from "../model/issues";
import { checkService } from "../model/service/check";
import type { UrlRelease } from "../model/service/release";
import { checkRelease } from "../model/service/release-check";
import type { ServiceArgs } from "../model/service/service";
import { checkMachines, hostsOf } from "./machines";
import { checkReleaseArgs, RELEASE_KEYS, type ReleaseArgs } from "./release-args";

/** Arguments of `GoServiceUnit`. */
export interface GoServiceUnitArgs extends Omit<ReleaseArgs, "keep">, ServiceArgs<pulumi.Input<string>> {
  /** The program: where each host fetches it, and its sha256. */
  readonly release: UrlRelease;
  readonly rollback?: RollbackArgs;
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
}

const KEYS = ["release", "rollback", "keepState", ...RELEASE_KEYS.filter((key) => key !== "keep")];

/** Everything that is wrong with the arguments of a service. */
export function checkServiceArgs(args: unknown): Issue[] {
  if (!isFields(args)) return [issue("", args, "an object such as { target, release, exec, health }")];
  const { release, rollback, keepState, exec } = args;
  const program: unknown = Array.isArray(exec) ? exec[0] : undefined;
  return [
    ...checkReleaseArgs(args),
    ...checkMachines(hostsOf(args["target"])),
    ...(release === undefined
      ? [issue("release", undefined, 'where the program comes from, such as { url: "https://…", sha256: "…" }')]
      : checkUrlRelease(release, typeof program === "string" ? program : undefined)),
    ...checkService(args, { isUnknown: pulumi.Output.isInstance, otherKeys: KEYS }),
    ...(rollback === undefined ? [] : checkFields("rollback", rollback, { keep: whole(2, 20) })),
    ...(keepState === undefined || typeof keepState === "boolean"
      ? []
      : [issue("keepState", keepState, "true or false")]),
  ];
}

function checkUrlRelease(release: unknown, program: string | undefined): Issue[] {
  if (isFields(release) && release["url"] === undefined) {
    return [issue(at("release", "url"), undefined, "where hosts fetch the program, with its sha256 beside it")];
  }
  return checkRelease("release", release, program);
}
