import * as pulumi from "@pulumi/pulumi";
import { at, isFields, issuesOf } from "../model/check";
import { issue, type Issue } from "../model/issues";
import { parseComponentName } from "../model/names";
import { toolchainRoot, toolchainTrees } from "../plan/toolchain";
import type { SandboxToolchain } from "../plan/sandbox/parts";
import type { GoToolchainHost } from "./go-toolchain-host";

/** A toolchain that another program puts on the same hosts. */
export interface ToolchainOnHost {
  /** Its component's directory name under `/etc/gofleet`. */
  readonly directory: string;
}

/**
 * The toolchain that is used on a host: a component of this program, or what another program's is called there. Paths are
 * what a plan is made of, so they must be known at once, as an output of another stack is not.
 */
export type ToolchainArg = GoToolchainHost | ToolchainOnHost;

/** `undefined` is an issue: there is no default. */
export function checkToolchainArg(path: string, given: unknown): Issue[] {
  const wanted = 'a GoToolchainHost of the same hosts, or { directory: "fleet-go" } where another program makes it';
  if (!isFields(given) || pulumi.Output.isInstance(given)) {
    return [issue(path, typeof given === "object" ? undefined : given, wanted)];
  }
  return given.directory === undefined
    ? [issue(path, Object.keys(given), wanted)]
    : issuesOf(parseComponentName(at(path, "directory"), given.directory));
}

/** Where it is on the hosts. */
export function toolchainPlace({ directory }: ToolchainArg): SandboxToolchain {
  return { goRoot: toolchainRoot(directory), trees: toolchainTrees(directory) };
}

/** What must be on the hosts before anything that uses it. */
export function toolchainDependencies(toolchain: ToolchainArg): pulumi.Resource[] {
  return "nodes" in toolchain ? [toolchain.nodes.release] : [];
}
