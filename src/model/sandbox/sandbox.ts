import type { AbsolutePath } from "../names";
import { parseSize } from "../units";
import { resolveAgent, type Agent, type ResolvedAgent } from "./agent";
import { resolveCache, type Cache, type CacheArgs } from "./cache";
import type { DirectiveName } from "./directives";
import { resolveLimits, type Limits, type LimitsArgs } from "./limits";
import type { ModulesArgs } from "./modules";
import type { AllowedHost, NetworkArgs } from "./network";
import { resolveWatermarks, type WatermarkArgs, type Watermarks } from "./watermarks";

/**
 * A build sandbox. `Value` is the type of what only texts depend on, the allowed hosts, the resolver and where modules come
 * from: `string`, or an `Input<string>` in a program; `Allowed` is what the allow list takes.
 */
export interface SandboxArgs<Value = string, Allowed = AllowedHost<Value> | string> {
  /** What takes the jobs. */
  readonly agent: Agent<Value>;
  /**
   * How many jobs run at once, each as a user of its own; 1 to 64.
   * @default 1
   */
  readonly slots?: number;
  /** The build cache. */
  readonly cache: CacheArgs;
  /**
   * The shared module cache, on the disk.
   * @default see `ModulesArgs`
   */
  readonly modules?: ModulesArgs<Value>;
  /** What all slots may use together. */
  readonly limits: LimitsArgs;
  /**
   * What jobs may reach.
   * @default nothing
   */
  readonly network?: NetworkArgs<Value, Allowed>;
  /**
   * The AppArmor profile: violations denied, only logged, or no profile at all. systemd's own confinement holds in any
   * case.
   * @default "enforce"
   */
  readonly confinement?: Confinement;
  /**
   * Whether jobs may make user namespaces, as rootless containers need. It opens much of the kernel to them.
   * @default false
   */
  readonly userNamespaces?: boolean;
  /**
   * Directories of the host that every job sees, read-only, as `inputs/<name>` of its workspace: paths by name.
   * @default none
   */
  readonly inputs?: Readonly<Record<string, AbsolutePath>>;
  /**
   * Commands around each job.
   * @default none
   */
  readonly job?: JobArgs;
  /**
   * When the host is too full for another job.
   * @default see `WatermarkArgs`
   */
  readonly watermarks?: WatermarkArgs;
  /**
   * What of the confinement is left out, and whether the canary build runs.
   * @default nothing is left out, and it runs
   */
  readonly hardening?: HardeningArgs;
}

/** What an AppArmor profile does about violations; `off`: there is no profile. */
export type Confinement = "enforce" | "complain" | "off";

/** Commands around each job, in the slot's own confinement: a program by its absolute path, then its arguments. */
export interface JobArgs {
  /**
   * Before the agent starts; where it fails, no job begins.
   * @default none
   */
  readonly before?: readonly [AbsolutePath, ...string[]];
  /**
   * After the agent has ended, however it did.
   * @default none
   */
  readonly after?: readonly [AbsolutePath, ...string[]];
}

/** How far the confinement goes. */
export interface HardeningArgs {
  /**
   * Directives of the slots' units that are left out, by name.
   * @default none
   */
  readonly off?: readonly DirectiveName[];
  /**
   * Whether a build in the new confinement must succeed before it is switched on.
   * @default true
   */
  readonly canary?: boolean;
}

/** {@link SandboxArgs} but for what only texts depend on, with every default in place. */
export interface Sandbox {
  readonly agent: ResolvedAgent;
  readonly slots: number;
  readonly cache: Cache;
  /** 0: no limit of its own. */
  readonly modulesMaxBytes: number;
  readonly limits: Limits;
  readonly confinement: Confinement;
  readonly userNamespaces: boolean;
  readonly inputs: readonly { readonly name: string; readonly from: AbsolutePath }[];
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly watermarks: Watermarks;
  readonly hardening: { readonly off: readonly DirectiveName[]; readonly canary: boolean };
}

/** Puts the defaults in place. The args must have passed `checkSandbox`; the network and where modules come from are taken when they are known. */
export function resolveSandbox(args: SandboxArgs<unknown, unknown>): Sandbox {
  const { slots = 1, hardening = {}, modules = {} } = args;
  const cache = resolveCache(args.cache);
  return {
    agent: resolveAgent(args.agent),
    slots,
    cache,
    modulesMaxBytes: modules.max === undefined ? 0 : (parseSize("", modules.max).value ?? NaN),
    limits: resolveLimits(args.limits, slots, cache),
    confinement: args.confinement ?? "enforce",
    userNamespaces: args.userNamespaces ?? false,
    inputs: Object.entries(args.inputs ?? {})
      .map(([name, from]) => ({ name, from }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    before: args.job?.before ?? [],
    after: args.job?.after ?? [],
    watermarks: resolveWatermarks(args.watermarks),
    hardening: { off: [...(hardening.off ?? [])].sort(), canary: hardening.canary ?? true },
  };
}
