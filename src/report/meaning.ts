import { changes, type Operation } from "./change";
import { compare, isMap } from "./compare";
import type { Component } from "./component";
import { pinHeadline } from "./pinned";
import { isRelease, type ReleaseChange, type SecretChange, type UnitEffect } from "./release-change";
import type { ComponentChange } from "./report";
import { counted, joined, list, own, words, type Words } from "./words";

/** A component's change in plain sentences. */
export function meaning(component: Component): ComponentChange {
  const { root, stack, op, releases } = component;
  const made = releases.map(({ change }) => change);
  const waves = op === "delete" ? [] : made.flatMap(rollout);
  const effects = made.flatMap(({ units }) => units.map(({ effect }) => effect));
  const total = (of: (change: ReleaseChange) => number): number => made.reduce((sum, change) => sum + of(change), 0);
  return {
    urn: root.urn,
    stack,
    name: root.name,
    type: typeName(root.type),
    op,
    headline: headline(component),
    where: whereOf(component),
    ...(waves.length === 0 ? {} : { rollout: joined(waves, "; ") }),
    sentences: [
      ...argumentsOf(component),
      ...made.flatMap((change) => releaseSentences(change, op)),
      ...others(component),
      ...unseen(component),
    ],
    downtime: effects.some((each) => each === "restart" || each === "stop")
      ? "restart"
      : effects.includes("reload")
        ? "reload"
        : "none",
    hosts: total(({ hosts, removed }) => Math.max(hosts.length, removed.length)),
    visited: total(({ visited }) => visited.length),
    ...(root.position === undefined ? {} : { position: root.position }),
  };
}

/** The last part of a type token: `Bucket`. */
export function shortType(type: string): string {
  return type.slice(type.lastIndexOf(":") + 1);
}

/** `GoToolchainHost`; of other packages the whole token. */
export function typeName(type: string): string {
  if (isRelease({ type })) return "release";
  return /^gofleet:[^:]*:(.+)$/.exec(type)?.[1] ?? type;
}

const DONE: Readonly<Record<Operation, string>> = {
  same: "unchanged",
  create: "new",
  update: "changes",
  replace: "is replaced",
  delete: "is deleted",
  read: "is read",
  import: "is imported",
  refresh: "is read",
};

function headline({ root, op, releases }: Component): Words {
  if (releases.length === 0) return own(DONE[op]);
  if (op === "delete") return words`${goOf(root.oldInputs)} is taken off`;
  if (op === "create") return words`${goOf(root.newInputs)} is installed`;
  const pin = releases.map(({ change }) => change.pin).find((each) => each !== undefined);
  if (pin !== undefined) return pinHeadline(pin);
  const made = releases.map(({ change }) => change.downloads);
  const before = version(root.oldInputs) ?? downloadedGo(made.flatMap(({ removed }) => removed));
  const after = version(root.newInputs) ?? downloadedGo(made.flatMap(({ added }) => added));
  if (before !== undefined && after !== undefined && before !== after) return words`Go ${before} → ${after}`;
  if (op === "replace") return own("is replaced");
  return sums(releases.map(({ change }) => change)).visited === 0
    ? own("settings change, no host is visited")
    : own("changes");
}

function whereOf({ op, releases }: Component): Words {
  const { visited, hosts, removed } = sums(releases.map(({ change }) => change));
  if (visited === 0) return own("");
  if (op === "delete") return counted(removed, "host");
  return visited >= hosts + removed
    ? words`on ${counted(visited, "host")}`
    : words`on ${visited} of ${counted(hosts, "host")}`;
}

function sums(all: readonly ReleaseChange[]): { visited: number; hosts: number; removed: number } {
  const sum = (of: (change: ReleaseChange) => readonly string[]): number =>
    all.reduce((total, change) => total + of(change).length, 0);
  return {
    visited: sum(({ visited }) => visited),
    hosts: sum(({ hosts }) => hosts),
    removed: sum(({ removed }) => removed),
  };
}

function version(inputs: Readonly<Record<string, unknown>>): string | undefined {
  const { go } = inputs;
  return isMap(go) && typeof go.version === "string" ? go.version : undefined;
}

/** The version in a download's name, where one Go takes the place of another. */
function downloadedGo(names: readonly string[]): string | undefined {
  const found = names.flatMap((name) => /^go(\d[\w.]*)$/.exec(name)?.[1] ?? []);
  return found.length === 1 ? found[0] : undefined;
}

function goOf(inputs: Readonly<Record<string, unknown>>): Words {
  const found = version(inputs);
  return found === undefined ? own("it") : words`Go ${found}`;
}

/** Arguments that the headline or the release's own sentences tell already. */
const TOLD = /^(go\.|go$|target\.|target$)/;
const ARGUMENTS = 8;

function argumentsOf({ root, op }: Component): Words[] {
  if (op !== "update" || !root.type.startsWith("gofleet:")) return [];
  const found = compare(root).filter(({ path }) => !TOLD.test(path));
  return found.slice(0, ARGUMENTS).map(({ path, before, after }) => {
    if (before === undefined) return words`${path} is set to ${after ?? ""}`;
    if (after === undefined) return words`${path} is no longer set; it was ${before}`;
    return words`${path}: ${before} → ${after}`;
  });
}

function releaseSentences(change: ReleaseChange, op: Operation): Words[] {
  const { added, removed, reconnected, files, downloads, drift, settings, secrets } = change;
  if (op === "delete") return [];
  const said: Words[] = [];
  if (change.pin?.after?.reason !== undefined) said.push(words`because ${change.pin.after.reason}`);
  if (op !== "create") {
    if (added.length > 0) said.push(words`${plural(added, "host joins", "hosts join")}: ${list(added)}`);
    if (removed.length > 0) said.push(words`${plural(removed, "host leaves", "hosts leave")}: ${list(removed)}`);
  }
  if (reconnected.length > 0) said.push(words`reached another way: ${list(reconnected)}`);
  if (files.length > 0) {
    const waits = own(change.pin?.after === undefined ? "" : ", not rolled out while it is pinned");
    said.push(words`${counted(files.length, "file")}: ${list(files.map(({ path }) => path))}${waits}`);
  }
  said.push(...downloaded(downloads));
  // A new download brings its own probes and links: they say nothing more.
  const parts = change.parts.filter((part) => part !== "downloads" && downloads.added.length === 0);
  if (op === "update" && parts.length > 0) said.push(words`parts of the plan that differ: ${list(parts)}`);
  said.push(...secretSentences(secrets, op));
  for (const { path, before, after } of settings) {
    said.push(words`${path}: ${before ?? "default"} → ${after ?? "default"}`);
  }
  const drifted = Object.keys(drift);
  if (drifted.length > 0) said.push(words`puts back what was changed by hand on ${list(drifted)}`);
  if (change.visited.length > 0) said.push(units(change.units));
  return said;
}

function downloaded({ added, removed }: ReleaseChange["downloads"]): Words[] {
  if (added.length > 0 && removed.length > 0) return [words`downloads ${list(added)} in place of ${list(removed)}`];
  if (added.length > 0) return [words`downloads ${list(added)}`];
  return removed.length > 0 ? [words`no longer needs ${list(removed)}`] : [];
}

function secretSentences(secrets: ReleaseChange["secrets"], op: Operation): Words[] {
  const names = (kind: SecretChange["kind"]): string[] =>
    secrets.filter((each) => each.kind === kind).map(({ name }) => name);
  const [added, deleted, updated, maybe] = [names("add"), names("delete"), names("update"), names("maybe")];
  return [
    ...(added.length > 0 ? [words`secrets, never shown: ${list(added)}`] : []),
    ...(deleted.length > 0 ? [words`secrets that are taken off: ${list(deleted)}`] : []),
    ...(updated.length === 1 ? [words`secret ${list(updated)} changes (never shown)`] : []),
    ...(updated.length > 1 ? [words`secrets change, never shown; among ${list(updated)}`] : []),
    ...(maybe.length > 0 && op === "update"
      ? [words`may change too, which no preview shows: secret ${list(maybe)}`]
      : []),
  ];
}

/** An update of a resource whose shown sides are the same. */
function unseen({ root, children, releases, op }: Component): Words[] {
  if (op !== "update" || releases.length > 0 || children.some(changes)) return [];
  return compare(root).length > 0
    ? []
    : [own("both sides look the same: a secret changes (never shown), or what only its provider sees")];
}

function plural(names: readonly string[], one: string, many: string): Words {
  return counted(names.length, one, many);
}

const EFFECTS: readonly (readonly [UnitEffect["effect"], string])[] = [
  ["restart", "restarts"],
  ["reload", "reloads"],
  ["start", "starts"],
  ["stop", "stops"],
];

function units(effects: readonly UnitEffect[]): Words {
  if (effects.length === 0) return own("no unit restarts");
  return joined(
    EFFECTS.flatMap(([effect, verb]) => {
      const names = effects.filter((each) => each.effect === effect).map(({ name }) => name);
      return names.length === 0 ? [] : [words`${own(verb)} ${list(names)}`];
    }),
    ", ",
  );
}

function rollout({ waves, canaries }: ReleaseChange): Words[] {
  if (waves.length < 2) return [];
  const rest = canaries > 0 ? waves.slice(1) : waves;
  const size = Math.max(...rest);
  const batches = words`${counted(rest.length, "batch", "batches")} of ${rest.length > 1 && size > 1 ? own("up to ") : own("")}${counted(size, "host")}`;
  return [canaries > 0 ? words`${counted(canaries, "canary", "canaries")} first, then ${batches}` : batches];
}

/** Resources of the component that are not releases: how many of each operation. */
function others({ children, releases }: Component): Words[] {
  const known = new Set(releases.map(({ resource }) => resource.urn));
  const rest = children.filter(({ urn, op }) => !known.has(urn) && op !== "same" && op !== "read");
  return rest.map(({ name, type, op }) => words`${type} ${name} ${own(DONE[op])}`);
}
