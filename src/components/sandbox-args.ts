import * as pulumi from "@pulumi/pulumi";
import { at, isFields, type Fields } from "../model/check";
import { flag, optional } from "../model/field-checks";
import { issue, type Issue } from "../model/issues";
import { checkSandbox } from "../model/sandbox/check";
import type { AllowedHost } from "../model/sandbox/network";
import type { SandboxArgs } from "../model/sandbox/sandbox";
import { checkMachines, hostsOf } from "./machines";
import { isMirror, type MirrorArg } from "./mirror-ref";
import { checkReleaseArgs, RELEASE_KEYS, type ReleaseArgs } from "./release-args";
import { checkToolchainArg, type ToolchainArg } from "./toolchain-arg";

/** A host or a network that jobs may reach, or a module mirror: then its host is reached by its port. */
export type AllowedArg = MirrorArg | AllowedHost<pulumi.Input<string>> | string;

/** Arguments of `BuildAgentSandbox`. */
export interface BuildAgentSandboxArgs extends ReleaseArgs, SandboxArgs<pulumi.Input<string>, AllowedArg> {
  /** The Go toolchain that jobs build with, on the same hosts. */
  readonly toolchain: ToolchainArg;
  /**
   * Whether build and module caches stay when the sandbox goes.
   * @default false
   */
  readonly keepCaches?: boolean;
}

const KEYS = ["toolchain", "keepCaches", ...RELEASE_KEYS] as const;

/** Everything that is wrong with the arguments of a sandbox. */
export function checkSandboxArgs(args: unknown): Issue[] {
  if (!isFields(args)) return [issue("", args, "an object such as { target, toolchain, agent, cache, limits }")];
  const { keepCaches } = args;
  return [
    ...checkReleaseArgs(args),
    ...checkMachines(hostsOf(args["target"])),
    ...checkToolchainArg("toolchain", args["toolchain"]),
    ...checkSandbox({ ...args, network: knownNetwork(args["network"]) }, { isUnknown, otherKeys: KEYS }),
    ...checkMirrors(args["network"]),
    ...optional("keepCaches", keepCaches, flag),
  ];
}

const isUnknown = (value: unknown): boolean => pulumi.Output.isInstance(value) || value === MIRROR;

/** Stands for a mirror, whose host is known later. */
const MIRROR = Symbol("a mirror");

/** The network with its mirrors left for later; what is no object stays what it is. */
function knownNetwork(network: unknown): unknown {
  if (!isFields(network) || pulumi.Output.isInstance(network) || !Array.isArray(network["allow"])) return network;
  return { ...network, allow: network["allow"].map((each: unknown) => (isMirror(each) ? MIRROR : each)) };
}

/** Two entries that are one mirror are one too many, but no harm; a whole component that is no mirror is a mistake. */
function checkMirrors(network: unknown): Issue[] {
  const allow: unknown = isFields(network) ? (network as Fields)["allow"] : undefined;
  if (!Array.isArray(allow)) return [];
  return allow.flatMap((each: unknown, index) =>
    pulumi.Resource.isInstance(each) && !isMirror(each)
      ? [issue(at("network.allow", index), undefined, "a GoProxyMirror, { host, ports } or a network")]
      : [],
  );
}
