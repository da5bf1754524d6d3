import type { AbsolutePath } from "../../model/names";
import type { Sandbox } from "../../model/sandbox/sandbox";
import { hostToolDownload, type HostToolSource } from "../host-tool";
import { sandboxPlace, slotPlace, type SandboxPlace, type SlotPlace } from "./place";

/** What every part of a sandbox's plan is made from: its args with their defaults, and where its things are. */
export interface SandboxParts {
  readonly sandbox: Sandbox;
  readonly place: SandboxPlace;
  readonly slots: readonly SlotPlace[];
  /** Each build cache that is written, with who writes it. */
  readonly buildCaches: readonly BuildCache[];
  /** The one that all slots read; undefined: each has its own. */
  readonly sharedBuildCache: AbsolutePath | undefined;
  readonly toolchain: SandboxToolchain;
  /** `gofleet-sandbox`: its source, and the program that is built of it. */
  readonly tool: HostToolSource;
  readonly program: AbsolutePath;
  /** Where the agent's program is unpacked; undefined: it is not downloaded. */
  readonly agentTree: AbsolutePath | undefined;
}

/** The toolchain that jobs build with, made by another component on the same hosts. */
export interface SandboxToolchain {
  /** The tree, by a path that switches with the toolchain's release. */
  readonly goRoot: AbsolutePath;
  /** Where that component's releases of Go are unpacked. */
  readonly trees: AbsolutePath;
}

/** A directory or mount that holds a build cache. */
export interface BuildCache {
  readonly path: AbsolutePath;
  readonly user: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
}

/** @param tool the source of `gofleet-sandbox`, as `sandboxTool()` finds it */
export function sandboxParts(
  component: string,
  sandbox: Sandbox,
  toolchain: SandboxToolchain,
  tool: Omit<HostToolSource, "goRoot">,
): SandboxParts {
  const { cache } = sandbox;
  const place = sandboxPlace(component, cache.path);
  const numbers = Array.from({ length: sandbox.slots }, (_, index) => index + 1);
  const shared = cache.scope === "shared" ? place.buildCache : undefined;
  // Where jobs write the shared cache itself, it is what they see; else each sees a view or a cache of its own.
  const slots = numbers.map((number): SlotPlace => {
    const slot = slotPlace(place, number);
    return shared === undefined || cache.discard ? slot : { ...slot, buildCache: shared };
  });
  const source = { ...tool, goRoot: toolchain.goRoot };
  const { forge } = sandbox.agent;
  return {
    sandbox,
    place,
    slots,
    buildCaches:
      shared === undefined || cache.discard
        ? slots.map(({ buildCache, user }) => ({ path: buildCache, user, group: place.group, mode: "0700" }))
        : [{ path: shared, user: "root", group: place.group, mode: "2770" }],
    sharedBuildCache: shared,
    toolchain,
    tool: source,
    program: `/usr/local/lib/gofleet/${component}/${sandboxDownload(source).name}/bin/gofleet-sandbox`,
    agentTree: forge && `/usr/local/lib/gofleet/${component}/${forge.program.name}`,
  };
}

/** The program's source, built where it runs. */
export function sandboxDownload(source: HostToolSource) {
  return hostToolDownload("sandbox", "gofleet-sandbox", source);
}
