import type { AbsolutePath, UnitName } from "../../model/names";
import type { ResolvedForge } from "../../model/sandbox/agents/forge";
import type { ModuleEnv } from "../../model/sandbox/modules";
import type { Network, Reachable } from "../../model/sandbox/network";
import type { Sandbox } from "../../model/sandbox/sandbox";

/** Where `gofleet-sandbox` finds what it works on. */
export interface SandboxConfigPlaces {
  readonly component: string;
  readonly group: string;
  readonly moduleUser: string;
  /** The go command of jobs and of the module user. */
  readonly go: AbsolutePath;
  readonly state: AbsolutePath;
  readonly runtime: AbsolutePath;
  readonly pauseMark: AbsolutePath;
  readonly jobLock: AbsolutePath;
  readonly metrics: AbsolutePath;
  readonly modules: AbsolutePath;
  /** The one build cache of all slots; undefined: each has its own. */
  readonly sharedBuildCache: AbsolutePath | undefined;
  /** Where caches in memory are kept over a reboot. */
  readonly copies: AbsolutePath;
  readonly slots: readonly SlotConfig[];
  /** Directories whose file systems are watched. */
  readonly watched: readonly AbsolutePath[];
  /** Directories with unpacked Go releases. */
  readonly toolchains: readonly AbsolutePath[];
  readonly table: string;
  /** Where the agent's program is unpacked, and its forge's credential; undefined: it is no forge's. */
  readonly agent: { readonly tree: AbsolutePath; readonly credential: AbsolutePath } | undefined;
}

/** What of the settings may be known late. */
export interface SandboxSurroundings {
  readonly network: Network;
  /** Where modules come from, where the toolchain's own settings do not say it. */
  readonly moduleEnv: ModuleEnv;
}

/** One slot, as the program knows it. */
export interface SlotConfig {
  readonly number: number;
  readonly user: string;
  readonly unit: UnitName;
  readonly workspace: AbsolutePath;
  readonly buildCache: AbsolutePath;
  readonly modules: AbsolutePath;
}

/** How long an address stays allowed after its name was last seen to have it; seconds. */
const ADDRESS_STAYS = 3600;

/** Longest that one attempt to delete a workspace may take; seconds. */
const DELETE_WITHIN = 300;

/** The settings of `gofleet-sandbox`, JSON; its fields are those of `config.Config` in hosttools/sandbox. */
export function sandboxConfig(
  sandbox: Sandbox,
  { network, moduleEnv }: SandboxSurroundings,
  places: SandboxConfigPlaces,
): string {
  const { agent, cache, watermarks } = sandbox;
  const config = {
    component: places.component,
    go: places.go,
    group: places.group,
    state: places.state,
    runtime: places.runtime,
    pauseMark: places.pauseMark,
    jobLock: places.jobLock,
    metrics: places.metrics,
    slots: places.slots.map(slotSettings),
    cache: {
      kind: cache.kind,
      shared: places.sharedBuildCache ?? "",
      discard: cache.discard,
      maxBytes: cache.sizeBytes,
      maxAgeSeconds: cache.maxAge,
      persist: cache.persistEvery > 0 ? places.copies : "",
      program: cache.program?.command ?? [],
      programWrites: cache.program?.writes ?? false,
    },
    modules: {
      shared: places.modules,
      user: places.moduleUser,
      maxBytes: sandbox.modulesMaxBytes,
      environment: Object.fromEntries(Object.entries(moduleEnv).sort(([a], [b]) => (a < b ? -1 : 1))),
    },
    watch: {
      paths: places.watched,
      pausePercent: watermarks.pause,
      reclaimPercent: watermarks.reclaim,
      lowPercent: watermarks.low,
      toolchains: places.toolchains,
      containers: watermarks.containers.map(asHost),
    },
    egress: { table: places.table, hosts: network.names.map(egressHost), ttlSeconds: ADDRESS_STAYS },
    before: sandbox.before,
    after: sandbox.after,
    inputs: sandbox.inputs,
    job: {
      // What stops the agent leaves time for what clears up after it.
      deleteSeconds: Math.min(DELETE_WITHIN, agent.stopWithin),
      drainSignal: agent.stopSignal,
      workspaceBytes: sandbox.limits.workspaceBytes,
    },
    ...(agent.forge && places.agent && { agent: forgeSettings(agent.forge, agent.stopWithin, places.agent) }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** The program knows no other field. */
function slotSettings({ number, user, unit, workspace, buildCache, modules }: SlotConfig): SlotConfig {
  return { number, user, unit, workspace, buildCache, modules };
}

/** Run by systemd, with root's rights: the unit that watches has too few of them for a container engine's tools. */
function asHost(command: readonly string[]): string[] {
  return ["/usr/bin/systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--", ...command];
}

function forgeSettings(
  { program: _, writesBeside, ...forge }: ResolvedForge,
  stopSeconds: number,
  places: NonNullable<SandboxConfigPlaces["agent"]>,
) {
  return { ...forge, ...places, writable: writesBeside, stopSeconds };
}

function egressHost({ host, ports, modules }: Reachable) {
  return { name: host, ports, modules };
}
