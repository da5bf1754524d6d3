import type { ResolvedAthens } from "../../model/mirror/athens";
import type { Front } from "../../model/mirror/front-resolve";
import type { PrivateModules } from "../../model/mirror/private-modules";
import type { Store } from "../../model/mirror/store";
import type { GoToolchain } from "../../model/toolchain";
import { mirrorDirectories, mirrorUsers } from "../../render/mirror/store-host-files";
import type { HostPlan } from "../host-plan";
import type { HostToolSource } from "../host-tool";
import { mergePlans } from "../merge";
import { textFile } from "../text-file";
import { toolchainPaths, toolchainPlan } from "../toolchain";
import { athensPlan, type AthensTexts } from "./athens";
import { frontPlan, type FrontTexts } from "./front";
import type { MirrorPlace } from "./place";
import { privacyProbe } from "./privacy-probe";
import { storePlan, type StoreTexts } from "./store";

/** The parts of a mirror, every default filled in; only their structure counts for a plan. */
export interface MirrorParts {
  readonly place: MirrorPlace;
  /** The toolchain that Athens fetches with; the mirror's own. */
  readonly toolchain: GoToolchain<unknown>;
  readonly athens: ResolvedAthens<unknown>;
  readonly front: Front;
  /** Undefined where Athens stores elsewhere: then nobody here keeps the store. */
  readonly store: Store | undefined;
  readonly storeSource: Omit<HostToolSource, "goRoot">;
  readonly privateModules: PrivateModules;
  /** Module proxies from which the host takes what it builds. */
  readonly proxies: readonly string[];
}

/** The texts of a mirror's files that depend on values. */
export interface MirrorTexts<Text> {
  readonly goEnv: Text;
  readonly athens: AthensTexts<Text>;
  readonly front: FrontTexts<Text>;
  readonly store: StoreTexts<Text>;
}

/** All that a host must hold for a module mirror. */
export function mirrorPlan<Text>(parts: MirrorParts, texts: MirrorTexts<Text>): HostPlan<Text | string> {
  const { place, athens, front, store } = parts;
  const toolchain = { ...parts.toolchain, links: false, profile: false };
  const paths = toolchainPaths(toolchain, place.component);
  const toolchainPart = toolchainPlan<Text | string>(toolchain, place.component, { goEnv: texts.goEnv, profile: "" });
  const [goTree] = toolchainPart.downloads;
  if (goTree === undefined) throw new Error("the toolchain of a mirror must be a download");
  const goRoot = `download:${goTree.name}`;
  const privacy = privacyProbe(front, place);
  return mergePlans<Text | string>(
    toolchainPart,
    athensPlan(athens, place, texts.athens, { goBinary: paths.go, goRoot, proxies: parts.proxies }),
    frontPlan(front, place, texts.front),
    store === undefined
      ? unkeptPlan(place)
      : storePlan(store, place, texts.store, {
          source: { ...parts.storeSource, goRoot },
          tiers: front.tiers.length > 0,
        }),
    privacy === undefined ? {} : { probes: [privacy] },
  );
}

/** Users and directories of a mirror whose store is elsewhere. */
function unkeptPlan<Text>(place: MirrorPlace): Partial<HostPlan<Text | string>> {
  const directories = { ...place, store: place.state, generation: place.front.generation };
  const name = `gofleet-${place.component}.conf`;
  return {
    files: [
      textFile(`/etc/sysusers.d/${name}`, mirrorUsers(place.user, place.frontUser, place.state)),
      textFile(`/etc/tmpfiles.d/${name}`, mirrorDirectories(directories)),
    ],
  };
}
