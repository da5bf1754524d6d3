import type { AbsolutePath, UnitName } from "../../model/names";
import { keeperTimer, keeperUnit, type KeeperUnit } from "../../render/sandbox/keeper-units";
import type { HostPlan, PlanUnit } from "../host-plan";
import { textFile } from "../text-file";
import type { SandboxParts } from "./parts";
import { unitPath, wantedBy } from "./slots";

/** What root needs to look after files of other users, in a cache with no more rights than its owner's. */
const FILE_KEEPER = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID"];

/** What `gofleet-cache restore` ends with where not all of a copy had room: the cache is good, and what is there is used. */
const RESTORED_IN_PART = 7;

/** Address families of what asks a forge or a module proxy. */
export const INTERNET = "AF_UNIX AF_INET AF_INET6";

/** Seconds between two looks at what jobs have asked modules for. */
const FETCH_EVERY = 60;

/** Seconds between two rounds of upkeep. A round reads what was not read for a week. */
const KEEP_EVERY = 3600;

/** Seconds before the first one: a host that has just started has other things to do. */
const KEEP_FIRST = 900;

/** The watermarks, the shared module cache, build caches beside jobs and, in memory, over a reboot. */
export function keepersPlan<Text>(parts: SandboxParts): Partial<HostPlan<Text | string>> {
  const all = [watch(parts), modules(parts), upkeep(parts), ...(keepsCaches(parts) ? [copies(parts)] : [])];
  return {
    files: all.flatMap(({ unit, text, timer }) => [
      textFile(unitPath(unit), text),
      textFile(unitPath(timer.name), timer.text),
    ]),
    symlinks: all.map(({ timer }) => wantedBy("timers.target", timer.name)),
    units: all.map(({ unit, timer }): PlanUnit => ({
      name: timer.name,
      onChange: "restart",
      reads: [unitPath(timer.name), unitPath(unit)],
    })),
  };
}

/** Whether caches in memory come back after a reboot. */
export function keepsCaches({ sandbox }: SandboxParts): boolean {
  return sandbox.cache.persistEvery > 0;
}

/**
 * The units that fill caches in memory before the slots start, and copy them to the disk after they have stopped: one for
 * each cache, in the slice of who uses it, for memory is counted where it is first written.
 */
export function cachesPlan<Text>(parts: SandboxParts): Partial<HostPlan<Text | string>> {
  if (!keepsCaches(parts)) return {};
  const { place, slots, sharedBuildCache } = parts;
  const all =
    sharedBuildCache === undefined
      ? slots.map(({ number, slice, buildCache, cacheUnit: unit }) => ({
          unit,
          slice,
          mounts: [buildCache],
          description: `Build cache of slot ${number} of ${place.component} over a reboot`,
          only: ["-slot", String(number)],
        }))
      : [
          {
            unit: place.keeper.shared,
            slice: place.slice,
            mounts: [sharedBuildCache],
            description: `Build cache of ${place.component} over a reboot`,
            only: [],
          },
        ];
  return {
    files: all.map(({ unit, only, ...more }) =>
      textFile(
        unitPath(unit),
        keeperUnit({
          ...cacheKeeper(parts),
          ...more,
          start: [[...gofleet(parts, "cache", "restore"), ...only]],
          succeeds: [RESTORED_IN_PART],
          stop: [[...gofleet(parts, "cache", "persist"), ...only]],
          stays: true,
        }),
      ),
    ),
    // Started with the slots, which want them. They go on as they are when their files change: a stop would be a whole copy.
    units: all.map(({ unit }): PlanUnit => ({ name: unit, onChange: "start", reads: [unitPath(unit)] })),
  };
}

/** The unit that a slot wants before it starts, with `%i` for its number. */
export function restoresCache({ place, sharedBuildCache }: SandboxParts): UnitName {
  return sharedBuildCache === undefined ? `${place.keeper.slots}%i.service` : place.keeper.shared;
}

interface Keeper {
  readonly unit: UnitName;
  readonly text: string;
  readonly timer: { readonly name: UnitName; readonly text: string };
}

function keeper(unit: UnitName, timer: UnitName, service: KeeperUnit, every: number, first?: number): Keeper {
  const text = keeperTimer(`Timer: ${service.description}`, unit, every, first);
  return { unit, text: keeperUnit(service), timer: { name: timer, text } };
}

function watch(parts: SandboxParts): Keeper {
  const { place, sandbox, toolchain } = parts;
  return keeper(
    place.watch.unit,
    place.watch.timer,
    {
      description: `Watermarks of ${place.component}`,
      capabilities: FILE_KEEPER,
      start: [gofleet(parts, "watch")],
      stays: false,
      writable: [...kept(parts), place.runtime, toolchain.trees],
      // Before it empties caches, it asks the forge which agents have no job.
      ...(sandbox.agent.forge !== undefined && { families: INTERNET }),
      within: "1h",
    },
    sandbox.watermarks.every,
  );
}

/** The only writer of the shared module cache; it takes names from jobs, and nothing else. */
function modules(parts: SandboxParts): Keeper {
  const { place } = parts;
  return keeper(
    place.moduleKeeper.unit,
    place.moduleKeeper.timer,
    {
      description: `Module cache of ${place.component}`,
      user: place.moduleUser,
      start: [gofleet(parts, "modules")],
      stays: false,
      writable: [place.modules, place.wanted],
      resolvConf: place.resolvConf,
      families: INTERNET,
      after: ["network-online.target", place.egress.unit],
      within: "1h",
    },
    FETCH_EVERY,
  );
}

function copies(parts: SandboxParts): Keeper {
  const { place, sandbox } = parts;
  const every = sandbox.cache.persistEvery;
  return keeper(
    place.keeper.copy,
    place.keeper.timer,
    {
      ...cacheKeeper(parts),
      description: `Copies of the build caches of ${place.component}`,
      start: [gofleet(parts, "cache", "persist")],
      stays: false,
    },
    every,
    every,
  );
}

/** Budgets, ages and damage: of a slot's cache also while a long job has it, of a shared one at all. */
function upkeep(parts: SandboxParts): Keeper {
  const { place } = parts;
  return keeper(
    place.cacheKeeper.unit,
    place.cacheKeeper.timer,
    {
      ...cacheKeeper(parts),
      description: `Upkeep of the build caches of ${place.component}`,
      start: [gofleet(parts, "cache", "keep")],
      stays: false,
      gentle: true,
      // Each cache takes its time, and there are as many as slots.
      within: "infinity",
    },
    KEEP_EVERY,
    KEEP_FIRST,
  );
}

function cacheKeeper(parts: SandboxParts): Omit<KeeperUnit, "description" | "start" | "stays"> {
  return {
    capabilities: FILE_KEEPER,
    writable: [...kept(parts), parts.place.runtime],
    mounts: parts.buildCaches.map(({ path }) => path),
    within: "30min",
  };
}

function kept({ place }: SandboxParts): AbsolutePath[] {
  return [place.cache, place.state];
}

/** A command of `gofleet-sandbox`. */
export function gofleet({ program, place }: SandboxParts, ...verb: readonly string[]): [string, ...string[]] {
  return [program, ...verb, "-config", place.config];
}
