import type { Store } from "../../model/mirror/store";
import type { AbsolutePath } from "../../model/names";

/** Where the store's keeper finds what it works on, and what it may run as root. */
export interface StoreConfigPlaces {
  readonly state: AbsolutePath;
  readonly runtime: AbsolutePath;
  readonly socket: AbsolutePath;
  readonly readOnlyEnvironment: AbsolutePath;
  readonly readOnlyFlag: AbsolutePath;
  readonly metrics: AbsolutePath;
  readonly generation: AbsolutePath;
  readonly certificate: AbsolutePath;
  readonly restartAthens: readonly string[];
  readonly reloadFront: readonly string[];
}

/** A mirror that is asked before or after this one; its answers become a metric. */
export interface TierUrl {
  readonly name: string;
  /** Answers 200 while the tier is well. */
  readonly url: string;
}

/** The configuration of `gofleet-store`, JSON; its fields are those of `config.Config` in hosttools/store. */
export function storeConfig(store: Store, places: StoreConfigPlaces, tiers: readonly TierUrl[] = []): string {
  const config = {
    store: store.path,
    state: places.state,
    runtime: places.runtime,
    offline: store.offline,
    watch: {
      maxBytes: store.maxBytes,
      alertPercent: store.alertAt,
      readOnlyPercent: store.readOnlyAt,
      readOnlyEnvironment: places.readOnlyEnvironment,
      readOnlyFlag: places.readOnlyFlag,
    },
    repair: {
      everySeconds: store.repairEvery,
      readAllWithinSeconds: store.readAllWithin,
      generation: places.generation,
    },
    gc: { unusedForSeconds: store.unusedFor, keepNewerThanSeconds: store.keepNewerThan, keep: store.keep },
    athens: { socket: places.socket, restart: places.restartAthens },
    front: { certificate: places.certificate, reload: places.reloadFront },
    metrics: { file: places.metrics, tiers },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
