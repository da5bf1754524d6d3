import type { AbsolutePath, UnitName } from "../../model/names";
import { resolvConf } from "../../render/sandbox/name-lookups";
import { sandboxConfig, type SandboxSurroundings } from "../../render/sandbox/sandbox-config";
import type { HostPlan } from "../host-plan";
import { mergePlans } from "../merge";
import { textFile } from "../text-file";
import { agentPlaces, agentsPlan } from "./agents";
import { attendancePlan, isAttended } from "./attendance";
import { confinementPlan, type Confinement } from "./confinement";
import { egressPlan, egressText } from "./egress";
import { cachesPlan, keepersPlan, keepsCaches, restoresCache } from "./keepers";
import { sandboxDownload, type SandboxParts } from "./parts";
import { canaryCheck, sandboxProbes } from "./probes";
import { slotsPlan } from "./slots";

/** The texts of a sandbox's files that depend on values. */
export interface SandboxTexts<Text> {
  /** The settings of `gofleet-sandbox`. */
  readonly config: Text;
  /** The firewall's rules. */
  readonly egress: Text;
  /** What jobs have as `/etc/resolv.conf`. */
  readonly resolvConf: Text;
}

/** The texts, where what they depend on is known. */
export function knownTexts(parts: SandboxParts, around: SandboxSurroundings): SandboxTexts<string> {
  const { place } = parts;
  const config = sandboxConfig(parts.sandbox, around, {
    ...place,
    go: `${parts.toolchain.goRoot}/bin/go`,
    sharedBuildCache: parts.sharedBuildCache,
    copies: place.keeper.copies,
    slots: parts.slots,
    watched: [place.cache, place.state, ...parts.buildCaches.map(({ path }) => path)],
    toolchains: [parts.toolchain.trees],
    table: place.egress.table,
    agent: agentPlaces(parts),
  });
  return {
    config,
    egress: egressText(place, parts.slots.length, around.network),
    resolvConf: resolvConf(around.network.resolver),
  };
}

/** All that a host must hold for a build sandbox, but for its toolchain. */
export function sandboxPlan<Text>(parts: SandboxParts, texts: SandboxTexts<Text>): HostPlan<Text | string> {
  const { place, program, sandbox } = parts;
  const confinement = confined(parts);
  const requires: UnitName[] = [place.egress.unit, ...(confinement === undefined ? [] : [place.apparmor.unit])];
  return mergePlans<Text | string>(
    {
      files: [textFile(place.config, texts.config)],
      // For people and for jobs: the programs by names without a digest.
      symlinks: ["gofleet-sandbox", "gofleet-cache"].map((name) => ({
        path: `${place.bin}/${name}`,
        target: program,
        switched: true,
      })),
      downloads: [sandboxDownload(parts.tool)],
      packages: ["git"],
      checks: sandbox.hardening.canary ? [canaryCheck(parts)] : [],
      probes: sandboxProbes(parts),
    },
    slotsPlan<Text>(parts, { requires, wants: wanted(parts) }),
    cachesPlan<Text>(parts),
    keepersPlan<Text>(parts),
    agentsPlan(parts),
    attendancePlan(parts),
    egressPlan<Text>(place, parts.slots.length, texts, program),
    confinement === undefined ? {} : confinementPlan(place, confinement, program),
  );
}

/** Units that come before the slots, and whose failure stops nothing. */
function wanted(parts: SandboxParts): UnitName[] {
  return [...(keepsCaches(parts) ? [restoresCache(parts)] : []), ...(isAttended(parts) ? [parts.place.attendant] : [])];
}

/** Undefined: no AppArmor. */
function confined({ sandbox, slots, toolchain, sharedBuildCache, agentTree }: SandboxParts): Confinement | undefined {
  const { confinement, userNamespaces, agent, before, after, cache } = sandbox;
  if (confinement === "off") return undefined;
  const all = [agent.command ?? [], before, after, cache.program?.command ?? []];
  const commands = all.flatMap(([program]) => (program === undefined ? [] : [program]));
  return {
    mode: confinement,
    userNamespaces,
    slots: slots.map((slot) => ({
      ...slot,
      shared: slot.buildCache === sharedBuildCache,
      ...(agent.forge?.writesBeside === true && { agent: `${slot.workspace}/agent` as const }),
    })),
    programs: [...new Set([toolchain.trees, ...(agentTree ? [agentTree] : []), ...commands.map(directory)])]
      .filter((path) => path !== "/")
      .sort(),
  };
}

function directory(path: string): AbsolutePath {
  return `/${path.split("/").slice(1, -1).join("/")}`;
}
