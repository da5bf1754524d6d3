import type { Store } from "../../model/mirror/store";
import type { AbsolutePath } from "../../model/names";
import { storeConfig, type StoreConfigPlaces, type TierUrl } from "../../render/mirror/store-config";
import { mirrorDirectories, mirrorUsers } from "../../render/mirror/store-host-files";
import { storeService, storeTimer, type StoreUnits } from "../../render/mirror/store-units";
import { command } from "../../render/shell";
import type { HostPlan, PlanDownload, PlanProbe } from "../host-plan";
import { hostToolDownload, type HostToolSource } from "../host-tool";
import { textFile } from "../text-file";
import type { MirrorPlace } from "./place";

/** Texts of the store's files that depend on values. */
export interface StoreTexts<Text> {
  /** By `storeConfigText`. */
  readonly config: Text;
}

/** Where the keeper's things are on a host. */
export interface StorePaths {
  readonly config: AbsolutePath;
  /** Directory of the download, with the program at `bin/gofleet-store`. */
  readonly download: string;
  readonly program: AbsolutePath;
  readonly service: AbsolutePath;
  readonly timer: AbsolutePath;
}

export function storePaths(place: MirrorPlace, source: HostToolSource): StorePaths {
  const { name } = storeDownload(source);
  return {
    config: `${place.settings}/store.json`,
    download: name,
    program: `/usr/local/lib/gofleet/${place.component}/${name}/bin/gofleet-store`,
    service: `/etc/systemd/system/${place.keeper.unit}`,
    timer: `/etc/systemd/system/${place.keeper.timer}`,
  };
}

function storeDownload(source: HostToolSource): PlanDownload {
  return hostToolDownload("store", "gofleet-store", source);
}

/** The keeper's configuration. */
export function storeConfigText(store: Store, place: MirrorPlace, tiers: readonly TierUrl[] = []): string {
  const places: StoreConfigPlaces = {
    state: place.state,
    runtime: place.runtime,
    socket: place.athens.socket,
    readOnlyEnvironment: place.athens.readOnlyEnvironment,
    readOnlyFlag: place.keeper.readOnlyFlag,
    metrics: place.keeper.metrics,
    generation: place.front.generation,
    certificate: place.front.certificate,
    restartAthens: ["systemctl", "try-restart", place.athens.unit],
    reloadFront: ["systemctl", "try-reload-or-restart", place.front.unit],
  };
  return storeConfig(store, places, tiers);
}

/** Options of {@link storePlan}. */
export interface StorePlanOptions {
  readonly source: HostToolSource;
  /** True if the texts' configuration names tiers: only then may the keeper use the network. */
  readonly tiers?: boolean;
}

/**
 * The users and directories of a mirror, and the program that keeps its store: a timer, its service, their
 * configuration, and a probe that runs it once and then stores and serves.
 */
export function storePlan<Text>(
  store: Store,
  place: MirrorPlace,
  texts: StoreTexts<Text>,
  { source, tiers = false }: StorePlanOptions,
): Partial<HostPlan<Text | string>> {
  const paths = storePaths(place, source);
  const units: StoreUnits = {
    component: place.component,
    user: place.user,
    program: paths.program,
    config: paths.config,
    service: place.keeper.unit,
    writable: [store.path, place.state, place.runtime],
    store: store.path,
    every: store.watchEvery,
    network: tiers,
  };
  const directories = { ...place, store: store.path, generation: place.front.generation };
  return {
    files: [
      textFile(
        `/etc/sysusers.d/gofleet-${place.component}.conf`,
        mirrorUsers(place.user, place.frontUser, place.state),
      ),
      textFile(`/etc/tmpfiles.d/gofleet-${place.component}.conf`, mirrorDirectories(directories)),
      textFile(paths.config, texts.config),
      textFile(paths.service, storeService(units)),
      textFile(paths.timer, storeTimer(units)),
    ],
    symlinks: [
      // For people: the program by a name without a digest.
      { path: `${place.settings}/gofleet-store`, target: paths.program, switched: true },
      {
        path: `/etc/systemd/system/timers.target.wants/${place.keeper.timer}`,
        target: `../${place.keeper.timer}`,
        switched: false,
      },
    ],
    downloads: [storeDownload(source)],
    units: [{ name: place.keeper.timer, onChange: "restart", reads: [paths.timer, paths.service] }],
    probes: [storeProbe(place, paths)],
  };
}

/**
 * Runs the keeper once, so that a store that is already too full is known, then asks whether the mirror can work. One that
 * serves and stores nothing more may pass: it was full before, and the release may be what makes room.
 */
function storeProbe(place: MirrorPlace, { program, config }: StorePaths): PlanProbe {
  const script = `#!/bin/sh
set -eu
${command("systemctl", "start", place.keeper.unit)}
${command("runuser", "-u", place.user, "--", program, "ready", "-config", config)} || [ $? -eq 3 ]
`;
  return { name: "store", timeout: 300, script };
}
