import type { AbsolutePath, UnitName } from "../../model/names";
import { componentUser, nameDigest } from "../user-name";

/**
 * Where a sandbox's things are on its host, from the component's directory name alone, so that its parts (units, caches,
 * confinement, network, the program that keeps them) agree without knowing each other.
 */
export interface SandboxPlace {
  /** The component's directory name. */
  readonly component: string;
  /** `/etc/gofleet/<component>`: settings. */
  readonly settings: AbsolutePath;
  /** The settings of `gofleet-sandbox`, one JSON file. */
  readonly config: AbsolutePath;
  /** `/run/<user>`: marks that mean nothing after a reboot (job locks, the pause mark); root's, 0755. */
  readonly runtime: AbsolutePath;
  /** `/var/lib/<user>`: workspaces, persisted caches, results of canary builds; root's, 0755. */
  readonly state: AbsolutePath;
  /** `/var/cache/<user>`: build and module caches. */
  readonly cache: AbsolutePath;
  /** The group of all slots. */
  readonly group: string;
  /** Writes the shared module cache; runs no job. */
  readonly moduleUser: string;
  /** All slots' slices, with the limits of the whole. */
  readonly slice: UnitName;
  /** A slot's slice is this, its number and `.slice`: systemd puts it below the one of all. */
  readonly slices: string;
  /** The template of the slots' units. */
  readonly template: UnitName;
  /** The shared module cache, written by `moduleUser`, read-only for jobs. */
  readonly modules: AbsolutePath;
  /** The build cache that every slot reads or, where it is shared, also writes. */
  readonly buildCache: AbsolutePath;
  /** Present while no new job may begin: the host is too full, or is being drained. */
  readonly pauseMark: AbsolutePath;
  /** Programs that jobs find first: `gofleet-cache`, `gofleet-sandbox`. */
  readonly bin: AbsolutePath;
  /** Held for reading by a job while it runs, for writing by what reclaims. */
  readonly jobLock: AbsolutePath;
  /** Prometheus text format, replaced by a rename. */
  readonly metrics: AbsolutePath;
  /** What a forge knows of the slots' agents; root's, 0700. */
  readonly agents: AbsolutePath;
  /** Lets no agent take a second job where its forge would give it one. */
  readonly attendant: UnitName;
  /** Modules that jobs have asked for, by name; `moduleUser`'s. */
  readonly wanted: AbsolutePath;
  /** Fetches those into the shared module cache, as `moduleUser`. */
  readonly moduleKeeper: { readonly unit: UnitName; readonly timer: UnitName };
  readonly keeper: {
    /** Fills a cache in memory that all slots write from the disk when it starts, and copies it there when it stops. */
    readonly shared: UnitName;
    /** The same for a slot's own cache: this, the slot's number and `.service`. */
    readonly slots: string;
    /** Copies caches now and then. */
    readonly copy: UnitName;
    readonly timer: UnitName;
    /** Where the copies are. */
    readonly copies: AbsolutePath;
  };
  /** Prunes build caches and looks for damage, beside jobs. */
  readonly cacheKeeper: { readonly unit: UnitName; readonly timer: UnitName };
  readonly watch: { readonly unit: UnitName; readonly timer: UnitName };
  /** The `/etc/resolv.conf` of jobs, and of what looks names up for them. */
  readonly resolvConf: AbsolutePath;
  readonly egress: {
    /** Loads the nftables table when it starts, and removes it when it stops. */
    readonly unit: UnitName;
    /** Looks the allowed names up, again and again, since names change their addresses. */
    readonly names: UnitName;
    readonly timer: UnitName;
    readonly table: string;
    readonly rules: AbsolutePath;
  };
  readonly apparmor: {
    /** Loads the slots' profiles when it starts, and removes them when it stops. */
    readonly unit: UnitName;
    /** A slot's profile is this, a dash and the slot's number. */
    readonly profile: string;
    /** All slots' profiles. */
    readonly path: AbsolutePath;
    /** The same for an AppArmor that knows user namespaces, where jobs may make those. */
    readonly path4: AbsolutePath;
    /** The profile of the canary build. */
    readonly canary: AbsolutePath;
    /** What the unit runs. */
    readonly script: AbsolutePath;
  };
  /** Counts what the profiles denied. */
  readonly denials: { readonly unit: UnitName; readonly timer: UnitName };
}

/** Where one slot's things are. Slots are numbered from 1. */
export interface SlotPlace {
  readonly number: number;
  /** Runs the slot's jobs. */
  readonly user: string;
  readonly unit: UnitName;
  /** Holds its unit, and what counts as its memory. */
  readonly slice: UnitName;
  /** Keeps its build cache, where that is in memory, over a reboot. */
  readonly cacheUnit: UnitName;
  /** Its AppArmor profile. */
  readonly profile: string;
  /** Made anew for each job: HOME, TMPDIR, GOTMPDIR and the checkout below it; 0700 of the user. */
  readonly workspace: AbsolutePath;
  /** GOCACHE as the slot's jobs see it. */
  readonly buildCache: AbsolutePath;
  /** GOMODCACHE as the slot's jobs see it: the shared one below, the job's own writes above. */
  readonly modules: AbsolutePath;
}

/**
 * @param component the component's directory name under `/etc/gofleet`
 * @param caches the directory of all its caches, where it is not below `/var/cache`
 */
export function sandboxPlace(component: string, caches?: AbsolutePath): SandboxPlace {
  const user = componentUser(component);
  const settings: AbsolutePath = `/etc/gofleet/${component}`;
  const runtime: AbsolutePath = `/run/${user}`;
  const state: AbsolutePath = `/var/lib/${user}`;
  const cache = caches ?? (`/var/cache/${user}` as const);
  const table = `gofleet_${identifier(component)}`;
  return {
    component,
    settings,
    config: `${settings}/sandbox.json`,
    runtime,
    state,
    cache,
    group: user,
    moduleUser: `${user}-mod`,
    slice: `gofleet-${identifier(component)}.slice`,
    slices: `gofleet-${identifier(component)}-`,
    template: `gofleet-${component}@.service`,
    modules: `${cache}/modules`,
    buildCache: `${cache}/build`,
    bin: `${settings}/bin`,
    pauseMark: `${runtime}/paused`,
    jobLock: `${runtime}/jobs.lock`,
    metrics: `${state}/metrics.prom`,
    agents: `${state}/agents`,
    attendant: `gofleet-${component}-attendant.service`,
    wanted: `${state}/wanted`,
    moduleKeeper: { unit: `gofleet-${component}-modules.service`, timer: `gofleet-${component}-modules.timer` },
    keeper: {
      shared: `gofleet-${component}-cache.service`,
      slots: `gofleet-${component}-cache-`,
      copy: `gofleet-${component}-cache-copy.service`,
      timer: `gofleet-${component}-cache-copy.timer`,
      copies: `${state}/caches`,
    },
    cacheKeeper: { unit: `gofleet-${component}-cache-keep.service`, timer: `gofleet-${component}-cache-keep.timer` },
    watch: { unit: `gofleet-${component}-watch.service`, timer: `gofleet-${component}-watch.timer` },
    resolvConf: `${settings}/resolv.conf`,
    egress: {
      unit: `gofleet-${component}-egress.service`,
      names: `gofleet-${component}-egress-names.service`,
      timer: `gofleet-${component}-egress-names.timer`,
      table,
      rules: `${settings}/egress.nft`,
    },
    apparmor: {
      unit: `gofleet-${component}-apparmor.service`,
      profile: `gofleet-${component}`,
      path: `/etc/apparmor.d/gofleet-${component}`,
      path4: `${settings}/apparmor-abi-4.0`,
      canary: `${settings}/apparmor-canary`,
      script: `${settings}/apparmor`,
    },
    denials: { unit: `gofleet-${component}-denials.service`, timer: `gofleet-${component}-denials.timer` },
  };
}

export function slotPlace(place: SandboxPlace, number: number): SlotPlace {
  return {
    number,
    user: `${place.group}-${number}`,
    unit: `gofleet-${place.component}@${number}.service`,
    slice: `${place.slices}${number}.slice`,
    cacheUnit: `${place.keeper.slots}${number}.service`,
    profile: `${place.apparmor.profile}-${number}`,
    workspace: `${place.state}/slots/${number}`,
    buildCache: `${place.cache}/slots/${number}/build`,
    modules: `${place.cache}/slots/${number}/modules`,
  };
}

/**
 * Where the canary build of a slot has what the slot has: `canary<number>` stands for the number in the last part of a
 * path that is one, or for what all slots share in a directory of its own. `gofleet-sandbox canary` does the same.
 */
export function canaryPlace(place: SandboxPlace, slot: SlotPlace): SlotPlace {
  const instance = `canary${slot.number}`;
  const beside = (path: AbsolutePath): AbsolutePath => {
    const parts = path.split("/");
    const last = parts.lastIndexOf(String(slot.number));
    if (last < 0) return `${path}/.${instance}`;
    return `/${[...parts.slice(1, last), instance, ...parts.slice(last + 1)].join("/")}`;
  };
  return {
    ...slot,
    unit: `gofleet-${place.component}@${instance}.service`,
    profile: `${place.apparmor.profile}-${instance}`,
    workspace: beside(slot.workspace),
    buildCache: beside(slot.buildCache),
    modules: beside(slot.modules),
  };
}

/**
 * The name in the letters of an identifier. A slice's dashes would nest it in the slice of another component; a digest
 * tells apart names that had other letters than dashes.
 */
function identifier(component: string): string {
  const plain = component.replaceAll(/[^a-z0-9]/g, "_");
  return /[^a-z0-9-]/.test(component) ? `${plain}_${nameDigest(component)}` : plain;
}
