import { sandboxDirectories, sandboxUsers, type SandboxDirectory } from "../../render/sandbox/host-files";
import { cacheMount, mountUnitName } from "../../render/sandbox/cache-units";
import { egressGuard } from "../../render/sandbox/egress-units";
import { sandboxSlice, slotSlice } from "../../render/sandbox/slice";
import { slotUnit } from "../../render/sandbox/slot-unit";
import type { AbsolutePath, UnitName } from "../../model/names";
import type { HostPlan, PlanFile, PlanSymlink, PlanUnit } from "../host-plan";
import { textFile } from "../text-file";
import { registration } from "./agents";
import type { SandboxParts } from "./parts";

const UNITS = "/etc/systemd/system";

export function unitPath(name: UnitName): AbsolutePath {
  return `${UNITS}/${name}`;
}

/** A link that starts a unit at boot. */
export function wantedBy(target: "multi-user.target" | "timers.target", unit: UnitName, file = unit): PlanSymlink {
  return { path: `${UNITS}/${target}.wants/${unit}`, target: `../${file}`, switched: false };
}

/** Users and directories, slices, the slots' units and, in memory, their caches. */
export function slotsPlan<Text>(parts: SandboxParts, needs: SlotNeeds): Partial<HostPlan<Text | string>> {
  const { place, sandbox, slots, program } = parts;
  const template = slotUnit({
    component: place.component,
    group: place.group,
    slices: place.slices,
    program,
    config: place.config,
    agent: sandbox.agent,
    registration: registration(parts),
    limits: sandbox.limits,
    resolvConf: place.resolvConf,
    workspaces: `${place.state}/slots`,
    caches: `${place.cache}/slots`,
    sharedBuildCache: sandbox.cache.discard ? undefined : parts.sharedBuildCache,
    path: [place.bin, `${parts.toolchain.goRoot}/bin`],
    guards: [egressGuard(place.egress.table)],
    requires: needs.requires,
    wants: needs.wants,
    apparmorProfiles: sandbox.confinement === "off" ? undefined : place.apparmor.profile,
    userNamespaces: sandbox.userNamespaces,
    off: sandbox.hardening.off,
  });
  const slices = [
    textFile(unitPath(place.slice), sandboxSlice(place.component, sandbox.limits)),
    ...slots.map(({ number, slice }) => textFile(unitPath(slice), slotSlice(place.component, number, sandbox.limits))),
  ];
  const mounts = sandbox.cache.kind === "tmpfs" ? mountFiles(parts) : [];
  return {
    files: [
      textFile(
        `/etc/sysusers.d/gofleet-${place.component}.conf`,
        sandboxUsers({ group: place.group, slots: slots.map(({ user }) => user), moduleUser: place.moduleUser }),
      ),
      textFile(`/etc/tmpfiles.d/gofleet-${place.component}.conf`, sandboxDirectories(directories(parts))),
      ...slices,
      textFile(unitPath(place.template), template),
      ...mounts.map(({ file }) => file),
    ],
    symlinks: slots.map(({ unit }) => wantedBy("multi-user.target", unit, place.template)),
    units: [
      // Their limits are those of the cgroups as soon as systemd has read them: nothing has to stop for that.
      ...[place.slice, ...slots.map(({ slice }) => slice)].map((name): PlanUnit => ({
        name,
        onChange: "none",
        reads: [unitPath(name)],
      })),
      // A new size is a remount, which loses nothing.
      ...mounts.map(({ file, unit }): PlanUnit => ({ name: unit, onChange: "reload", reads: [file.path] })),
      ...slots.map(({ unit }): PlanUnit => ({
        name: unit,
        onChange: "restart",
        // Settings are read at the start of each job: a change of them ends none.
        reads: [unitPath(place.template)],
      })),
    ],
  };
}

/** Other units that the slots' order names. */
export interface SlotNeeds {
  /** Without which no job may begin. */
  readonly requires: readonly UnitName[];
  /** Which come first, if they come. */
  readonly wants: readonly UnitName[];
}

function mountFiles({ place, sandbox, buildCaches }: SandboxParts): { file: PlanFile<string>; unit: UnitName }[] {
  return buildCaches.map((cache) => {
    const unit = mountUnitName(cache.path);
    const mount = { component: place.component, ...cache, sizeBytes: sandbox.cache.sizeBytes };
    return { unit, file: textFile(unitPath(unit), cacheMount(mount)) };
  });
}

/** Parents first. Workspaces and the views of caches are made for each job. */
function directories({ place, slots, buildCaches, sandbox, sharedBuildCache }: SandboxParts): SandboxDirectory[] {
  const open = (path: AbsolutePath): SandboxDirectory => ({ path, mode: "0755" });
  return [
    open(place.runtime),
    open(place.state),
    open(`${place.state}/slots`),
    { path: place.keeper.copies, mode: "0700" },
    ...(sandbox.agent.forge === undefined ? [] : [{ path: place.agents, mode: "0700" }]),
    { path: place.wanted, mode: "0700", user: place.moduleUser },
    open(place.cache),
    // Jobs only reach it through a layer of their own, in which they may add to what the group may write.
    { path: place.modules, mode: "2700", user: place.moduleUser, group: place.group },
    open(`${place.cache}/slots`),
    ...slots.map(({ number }) => open(`${place.cache}/slots/${number}`)),
    ...slots.map(({ number }) => open(`${place.cache}/slots/${number}/modules`)),
    ...buildCaches,
    // Filled by whom the administrator trusts, as root; jobs only read it.
    ...(sandbox.cache.discard && sharedBuildCache !== undefined ? [open(sharedBuildCache)] : []),
  ];
}
