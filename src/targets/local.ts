import { formatConnection, ONLY_HOST } from "../host/connection";
import { isFields, unknownKeys } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { AT_ONCE } from "../model/rollout";
import { SETTING_KEYS, targetPolicy } from "./settings";
import type { HostTarget, TargetSettings } from "./target";

/** Arguments of {@link local}. */
export interface LocalArgs extends TargetSettings {
  /**
   * The directory that stands for `/`, made if it is missing; relative to the Pulumi project. Everything is written
   * inside it, without root rights: no users, services or timers, owners are recorded but not applied. `/` is this
   * machine itself, as root.
   */
  readonly root: string;
}

/**
 * This machine, or a directory that stands for one.
 *
 * ```ts
 * const target = local({ root: ".gofleet/root" });
 * ```
 */
export function local(args: LocalArgs): HostTarget {
  const issues: Issue[] = [];
  const given: LocalArgs = isFields(args) ? args : { root: "" };
  issues.push(...unknownKeys("", given as unknown as Record<string, unknown>, ["root", ...SETTING_KEYS]));
  const { root } = given;
  if (typeof root !== "string" || root === "" || /[\s"'*?[$\p{Cc}]/u.test(root)) {
    issues.push(issue("root", root, 'a directory such as ".gofleet/root", without white space or quotes, or "/"'));
  }
  return {
    kind: "hosts",
    hosts: { [ONLY_HOST]: { line: formatConnection({ kind: "local", root }) } },
    rollout: AT_ONCE,
    policy: targetPolicy(given, issues),
    issues,
  };
}
