import { isDeepStrictEqual } from "node:util";
import type { DownloadInputs, PlanInputs, ReleaseInputs } from "../host/release";
import { waves, type Rollout } from "../model/rollout";
import type { PlanUnit } from "../plan/host-plan";
import { SECRET, type ResourceChange } from "./change";
import { isMap } from "./compare";
import { pinChange, switched, type PinChange } from "./pinned";
import type { Differ, TextDiff } from "./text-diff";

/** What a release resource's change means on its hosts. */
export interface ReleaseChange {
  /** Hosts after the change. */
  readonly hosts: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Hosts that are reached another way than before. */
  readonly reconnected: readonly string[];
  /** Hosts an update visits, those it leaves included. */
  readonly visited: readonly string[];
  /** Number of hosts per wave: canaries first. */
  readonly waves: readonly number[];
  readonly canaries: number;
  readonly files: readonly TextDiff[];
  readonly downloads: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Other parts of the plan that differ: `symlinks`, `packages`, … */
  readonly parts: readonly string[];
  readonly units: readonly UnitEffect[];
  /** Secrets, and paths of files that are secrets, that come, go, or may have another value. */
  readonly secrets: readonly SecretChange[];
  /** What a refresh found changed by hand: path and kind by host. The update puts it back. */
  readonly drift: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Hosts that start the release keep it, whatever comes of it: the program declares it irreversible. */
  readonly irreversible: boolean;
  /** Settings of the operator's side that differ: `policy.keep`, `rollout.batch`, `hooks`. */
  readonly settings: readonly SettingChange[];
  /** The hosts are, or were, held on a release of theirs. */
  readonly pin?: PinChange;
}

export interface UnitEffect {
  readonly name: string;
  readonly effect: "start" | "stop" | "restart" | "reload";
}

export interface SecretChange {
  readonly name: string;
  /** `maybe`: both values are secrets, and only a host can tell whether they are the same. */
  readonly kind: "add" | "delete" | "update" | "maybe";
}

export interface SettingChange {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

const RELEASE = "pulumi-nodejs:gofleet:HostRelease";

export function isRelease({ type }: { readonly type: string }): boolean {
  return type === RELEASE;
}

/** Parts of the inputs that may be missing, or a secret or unknown as a whole. */
type Inputs = { readonly [Key in keyof ReleaseInputs]?: unknown };

/** Reads a release resource's change; what the engine masked stays masked. */
export function releaseChange(change: ResourceChange, diff: Differ): ReleaseChange {
  const olds = change.oldInputs as Inputs;
  const news = change.op === "delete" ? {} : (change.newInputs as Inputs);
  const before = map(olds.hosts);
  const after = map(news.hosts);
  const hosts = Object.keys(after).sort();
  const added = hosts.filter((host) => !(host in before));
  const removed = Object.keys(before)
    .filter((host) => !(host in after))
    .sort();
  const reconnected = hosts.filter((host) => host in before && before[host] !== after[host]);
  const drift = driftOf(olds);
  const files = fileDiffs(olds, news, diff);
  const parts = planParts(plan(olds), plan(news));
  const shownSecrets = [...secrets(olds, news), ...maskedFiles(olds, news)];
  const content = files.length > 0 || parts.length > 0 || shownSecrets.some(({ kind }) => kind !== "maybe");
  const settings = settingChanges(olds, news);
  const pin = pinChange(change);
  // Nothing that is shown explains the update: then a secret does.
  const unexplained =
    change.op === "update" &&
    !content &&
    pin === undefined &&
    settings.length + added.length + removed.length + reconnected.length + Object.keys(drift).length === 0;
  const found = unexplained ? shownSecrets.map((each) => ({ ...each, kind: "update" as const })) : shownSecrets;
  // A pinned release comes from the hosts; what the program changes meanwhile visits none.
  const moved = pin === undefined ? [] : switched(pin, hosts, change);
  const own = content && pin?.after === undefined;
  const renewed =
    own || unexplained
      ? hosts
      : hosts.filter((host) => moved.includes(host) || touched(host, added, reconnected, drift));
  const rollout = isMap(news.rollout) ? (news.rollout as unknown as Rollout) : undefined;
  const steps = rollout === undefined ? [] : waves(renewed, rollout);
  const changed = new Set([...files.map(({ path }) => path), ...changedDownloads(plan(olds), plan(news))]);
  for (const { name, kind } of found) if (kind !== "maybe") changed.add(name);
  return {
    hosts,
    added,
    removed,
    reconnected,
    visited: [...renewed, ...removed],
    waves: steps.map(({ length }) => length),
    canaries: rollout === undefined || steps.length < 2 || noCanary(rollout) ? 0 : (steps[0]?.length ?? 0),
    files,
    downloads: {
      added: Object.keys(map(plan(news).downloads)).filter((name) => !(name in map(plan(olds).downloads))),
      removed: Object.keys(map(plan(olds).downloads)).filter((name) => !(name in map(plan(news).downloads))),
    },
    parts,
    units:
      pin === undefined
        ? unitEffects(plan(olds), plan(news), changed)
        : moved.length > 0
          ? unitEffects(plan(news), plan(news), everythingOf(plan(news)))
          : [],
    secrets: found,
    drift,
    irreversible: plan(news).irreversible === true && (own || added.length > 0),
    settings,
    ...(pin === undefined ? {} : { pin }),
  };
}

function noCanary({ canary }: Rollout): boolean {
  return typeof canary === "object" ? canary.length === 0 : Number.parseFloat(String(canary)) === 0;
}

function touched(host: string, added: readonly string[], reconnected: readonly string[], drift: object): boolean {
  return added.includes(host) || reconnected.includes(host) || host in drift;
}

function plan({ plan: given }: Inputs): PlanInputs {
  return isMap(given) ? (given as unknown as PlanInputs) : { attributes: {} };
}

function map(value: unknown): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {};
}

export function driftOf({ drift }: Inputs): ReleaseChange["drift"] {
  return Object.fromEntries(
    Object.entries(map(drift)).map(([host, paths]) => [
      host,
      Object.fromEntries(Object.entries(map(paths)).map(([path, kind]) => [path, String(kind)])),
    ]),
  );
}

function fileDiffs(olds: Inputs, news: Inputs, diff: Differ): TextDiff[] {
  const before = map(olds.files);
  const after = map(news.files);
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));
  return paths
    .filter((path) => before[path] !== after[path])
    .map((path) => diff(path, text(before[path]), text(after[path])));
}

/** Parts of the plan that differ; addresses of downloads are not part of a release. */
function planParts(before: PlanInputs, after: PlanInputs): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort() as (keyof PlanInputs)[];
  const part = (of: PlanInputs, key: keyof PlanInputs): unknown =>
    key === "downloads" ? identities(of.downloads) : (of[key] ?? {});
  return keys.filter((key) => !isDeepStrictEqual(part(before, key), part(after, key)));
}

function identities(downloads: unknown): unknown {
  return Object.entries(map(downloads)).map(([name, each]) => {
    const { variants, ...rest } = map(each) as Partial<DownloadInputs>;
    return [name, rest, Object.entries(map(variants)).map(([arch, variant]) => [arch, map(variant)["checksum"]])];
  });
}

function changedDownloads(before: PlanInputs, after: PlanInputs): string[] {
  const names = [...new Set([...Object.keys(map(before.downloads)), ...Object.keys(map(after.downloads))])];
  const one = (of: PlanInputs, name: string): unknown => identities({ [name]: of.downloads?.[name] });
  return names.filter((name) => !isDeepStrictEqual(one(before, name), one(after, name)));
}

function unitEffects(before: PlanInputs, after: PlanInputs, changed: ReadonlySet<string>): UnitEffect[] {
  type Unit = Omit<PlanUnit, "name">;
  const olds = map(before.units) as Readonly<Record<string, Unit>>;
  const news = map(after.units) as Readonly<Record<string, Unit>>;
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])].sort().flatMap((name): UnitEffect[] => {
    const unit = news[name];
    if (unit === undefined) return [{ name, effect: "stop" }];
    if (unit.onChange === "none") return [];
    if (olds[name] === undefined) return [{ name, effect: "start" }];
    const reads = Array.isArray(unit.reads) ? unit.reads : [];
    if (!reads.some((path) => changed.has(path))) return [];
    const atStart = Array.isArray(unit.restartFor) ? unit.restartFor : [];
    return [{ name, effect: atStart.some((path) => changed.has(path)) ? "restart" : unit.onChange }];
  });
}

/** Of two releases one of which only the hosts have, everything may differ. */
function everythingOf({ units }: PlanInputs): ReadonlySet<string> {
  const reads = Object.values(map(units)).map((unit) => map(unit)["reads"]);
  return new Set(reads.flatMap((each) => (Array.isArray(each) ? each.map(String) : [])));
}

function secrets(olds: Inputs, news: Inputs): SecretChange[] {
  const before = olds.secrets === SECRET ? { secrets: SECRET } : map(olds.secrets);
  const after = news.secrets === SECRET ? { secrets: SECRET } : map(news.secrets);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().map((name) => ({
    name,
    kind: !(name in before) ? "add" : !(name in after) ? "delete" : "maybe",
  }));
}

/** Files that are secrets on both sides. */
function maskedFiles(olds: Inputs, news: Inputs): SecretChange[] {
  const before = map(olds.files);
  const masked = Object.entries(map(news.files)).filter(([path, text]) => text === SECRET && before[path] === SECRET);
  return masked.map(([name]) => ({ name, kind: "maybe" }));
}

function settingChanges(olds: Inputs, news: Inputs): SettingChange[] {
  if (Object.keys(olds).length === 0 || Object.keys(news).length === 0) return [];
  return (["policy", "rollout", "hooks", "passwords", "gateSecrets"] as const).flatMap((group) => {
    const before = map(olds[group]);
    const after = map(news[group]);
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .sort()
      .filter((key) => !isDeepStrictEqual(before[key], after[key]))
      .map((key) => ({
        path: `${group}.${key}`,
        ...(before[key] === undefined ? {} : { before: JSON.stringify(before[key]) }),
        ...(after[key] === undefined ? {} : { after: JSON.stringify(after[key]) }),
      }));
  });
}
