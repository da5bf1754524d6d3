import * as pulumi from "@pulumi/pulumi";
import { isFields, type Fields } from "../model/check";
import { oneOf, optional, parsed, whole } from "../model/field-checks";
import { describe, issue, sentence, type Issue } from "../model/issues";
import { parseComponentName } from "../model/names";
import type { HostReleaseArgs } from "../targets/host-release";
import type { HostTarget } from "../targets/target";
import { checkHooks, hooksOf, type HooksArgs } from "./hook-args";

/** What every component that makes releases takes. */
export interface ReleaseArgs {
  /** Where it goes: `local`, `ssh` or `hostPool`. */
  readonly target: HostTarget;
  /**
   * The component's directory name under `/etc/gofleet`.
   * @default "<project>-<name>"
   */
  readonly directory?: string;
  /**
   * What runs before the switch, after the probes, after a failure and after going back.
   * @default none
   */
  readonly hooks?: HooksArgs;
  /**
   * Units, users and links in the way that gofleet did not make: refused; or set aside and given back at destroy
   * (`displace`); `take` also takes over a component of another stack.
   * @default "refuse"
   */
  readonly adopt?: "refuse" | "displace" | "take";
  /**
   * A directory in the way of a file: set aside and given back at destroy.
   * @default refused
   */
  readonly replaces?: "directory";
  /**
   * Releases kept on the host for going back, the current one included; 2 to 20.
   * @default 3
   */
  readonly keep?: number;
}

export const RELEASE_KEYS = ["target", "directory", "hooks", "adopt", "replaces", "keep"] as const;

const KEEP = 3;

/**
 * Throws everything that is wrong at once, each with its path. The message says it all: the engine prints the error's
 * own list only for components that run in a provider.
 */
export function throwIssues(component: string, issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const headline = `${component} has ${issues.length === 1 ? "an argument" : `${issues.length} arguments`} that will not do`;
  const error = new pulumi.InputPropertiesError({
    message: `${headline}\n${describe(issues).replace(/^/gm, "  ")}`,
    errors: issues.map((each) => ({ propertyPath: each.path, reason: sentence(each) })),
  });
  // As for a RunError: the message is for the user, a stack trace of this library is not.
  throw Object.assign(error, { __pulumiRunError: true });
}

/** What is wrong with the arguments every component shares. */
export function checkReleaseArgs(args: Fields): Issue[] {
  return [
    ...checkTarget(args["target"]),
    ...optional("directory", args["directory"], parsed(parseComponentName)),
    ...optional("adopt", args["adopt"], oneOf("refuse", "displace", "take")),
    ...optional("replaces", args["replaces"], oneOf("directory")),
    ...optional("keep", args["keep"], checkKeep),
    ...checkHooks(args["hooks"]),
  ];
}

/** How many releases a host keeps: at least the current one and one to go back to. */
export const checkKeep = whole(2, 20);

function checkTarget(target: unknown): Issue[] {
  if (isFields(target) && target["kind"] === "hosts" && isFields(target["hosts"])) {
    return (target as unknown as HostTarget).issues.map((each) => ({ ...each, path: `target.${each.path}` }));
  }
  const given = isFields(target) ? Object.keys(target) : target;
  return [issue("target", given, "a target: local({ … }), ssh({ … }) or hostPool({ … })")];
}

/** The shared arguments as the release resource takes them. */
export function releaseArgs(
  args: ReleaseArgs,
  name: string,
): Pick<HostReleaseArgs, "component" | "target" | "hooks" | "policy"> {
  return {
    component: componentDirectory(args.directory, name),
    target: args.target,
    hooks: args.hooks === undefined ? undefined : hooksOf(args.hooks),
    policy: {
      adopt: args.adopt ?? "refuse",
      keep: args.keep ?? KEEP,
      ...(args.replaces && { replaces: args.replaces }),
    },
  };
}

/** `<project>-<name>` in the letters a directory name may have. */
function componentDirectory(given: string | undefined, name: string): string {
  if (given !== undefined) return given;
  const words = `${pulumi.getProject()}-${name}`.toLowerCase().replace(/[^a-z0-9._-]+/g, "-");
  return words.replace(/^[^a-z0-9]+/, "").slice(0, 63);
}

/** What a component records of its target: enough for a reader, nothing per host. */
export function targetSummary(target: HostTarget): Record<string, unknown> {
  return { hosts: Object.keys(target.hosts).length, rollout: target.rollout };
}
