import type { ResourceChange, StackPreview } from "./change";
import type { Component } from "./component";
import { lookedRisks } from "./looked";
import { shortType, typeName } from "./meaning";
import { pinRisk } from "./pinned";
import { driftOf, isRelease } from "./release-change";
import type { Risk } from "./report";
import { nameOf } from "./urn";
import { counted, list, own, words, type Words } from "./words";

const ORDER: readonly Risk["level"][] = ["danger", "attention", "notice"];

/** What to look at before all else, the worst first. */
export function risksOf(stack: StackPreview, components: readonly Component[]): Risk[] {
  const found: Found[] = [
    ...failures(stack),
    ...violations(stack),
    ...stack.resources.flatMap((resource) => losses(resource)),
    ...components.flatMap(fleetRisks),
    ...lookedRisks(stack),
    ...drift(stack),
    ...pins(stack),
  ];
  const places = new Map(
    components.flatMap((each) => [each.root, ...each.children].map(({ urn }) => [urn, each.root.position])),
  );
  return found.map(({ urn, ...risk }) => {
    const position = urn === undefined ? undefined : places.get(urn);
    return { ...risk, stack: stack.stack, ...(position === undefined ? {} : { position }) };
  });
}

/** The worst first; otherwise as they came. */
export function sorted(risks: readonly Risk[]): Risk[] {
  return ORDER.flatMap((level) => risks.filter((risk) => risk.level === level));
}

type Found = Omit<Risk, "stack" | "position"> & { readonly urn?: string };

function failures({ complete, resources, diagnostics }: StackPreview): Found[] {
  const failed = resources.filter((resource) => resource.failed);
  const found: Found[] = failed.map(({ urn, name }) => ({
    level: "danger",
    kind: "failure",
    text: words`${name} failed`,
    urn,
  }));
  if (!complete && found.length === 0) {
    found.push({ level: "danger", kind: "failure", text: own("the preview failed: what is below is not all of it") });
  }
  const unreachable = diagnostics.filter(
    ({ message, severity }) => severity === "warning" && /not read$|cannot be reached/m.test(message),
  );
  return [
    ...found,
    ...unreachable.map(({ message, urn }): Found => ({
      level: "attention",
      kind: "unreachable",
      text: words`a host did not answer: ${message.split("\n")[0] ?? ""}`,
      ...(urn === undefined ? {} : { urn }),
    })),
  ];
}

/** One for each policy, however many resources violate it. */
function violations({ policies }: StackPreview): Found[] {
  const mandatory = policies.filter(({ level }) => level === "mandatory");
  return [...new Set(mandatory.map(({ policy }) => policy))].map((policy) => {
    const urns = mandatory.flatMap((each) => (each.policy === policy && each.urn !== undefined ? [each.urn] : []));
    const names = [...new Set(urns.map(nameOf))];
    const by = names.length === 0 ? own("") : words` by ${list(names)}`;
    return {
      level: "danger",
      kind: "policy",
      text: words`policy ${policy} is violated${by}`,
      ...(urns[0] === undefined ? {} : { urn: urns[0] }),
    };
  });
}

function losses(resource: ResourceChange): Found[] {
  const { urn, name, type, op, protect, unprotected, retain, replaceKeys } = resource;
  if (unprotected && op !== "delete" && op !== "replace") {
    // Of a component it is said once, not of each of its releases too.
    if (isRelease(resource)) return [];
    const thing = words`${shortType(type)} ${name}`;
    return [{ level: "danger", kind: "protected", text: words`${thing} is no longer protected`, urn }];
  }
  if (op !== "delete" && op !== "replace") return [];
  // Of a component its releases tell, by hosts. Providers hold nothing.
  if (/^(pulumi:providers|gofleet):/.test(type) || isRelease(resource)) return [];
  const thing = words`${shortType(type)} ${name}`;
  const because = replaceKeys.length === 0 ? own("") : words`: ${list(replaceKeys)} cannot change in place`;
  const gone =
    op === "replace" ? words`is replaced${because}` : own(`is deleted${retain ? ", the thing itself stays" : ""}`);
  return [loss(thing, gone, op, protect, retain, urn)];
}

function loss(
  thing: Words,
  gone: Words,
  op: "delete" | "replace",
  protect: boolean,
  retain: boolean,
  urn: string,
): Found {
  if (protect) return { level: "danger", kind: "protected", text: words`${thing} is protected, and ${gone}`, urn };
  return { level: retain ? "attention" : "danger", kind: op, text: words`${thing} ${gone}`, urn };
}

function fleetRisks({ root, releases, op }: Component): Found[] {
  const { urn, name } = root;
  return releases.flatMap(({ resource, change }): Found[] => {
    const found: Found[] = [];
    const hosts = counted(change.visited.length, "host");
    if (resource.op === "delete" || resource.op === "replace") {
      const thing = words`${own(typeName(root.type))} ${name}`;
      const gone = resource.op === "delete" ? words`is taken off ${hosts}` : words`is replaced on ${hosts}`;
      found.push(loss(thing, gone, resource.op, resource.protect || root.protect, resource.retain, urn));
    }
    const cut = change.units.filter(({ effect }) => effect === "restart" || effect === "stop").map((unit) => unit.name);
    const reloaded = change.units.filter(({ effect }) => effect === "reload").map((unit) => unit.name);
    if (op === "update" && cut.length > 0) {
      found.push({
        level: "attention",
        kind: "downtime",
        text: words`${name} restarts or stops ${list(cut)} on ${hosts}`,
        urn,
      });
    }
    if (op === "update" && reloaded.length > 0) {
      found.push({
        level: "notice",
        kind: "downtime",
        text: words`${name} reloads ${list(reloaded)} on ${hosts}, without downtime`,
        urn,
      });
    }
    if (change.removed.length > 0 && op !== "delete") {
      found.push({
        level: "attention",
        kind: "delete",
        text: words`${name} is taken off ${list(change.removed)}`,
        urn,
      });
    }
    if (op === "update" && change.waves.length === 1 && change.visited.length > 1) {
      found.push({
        level: "attention",
        kind: "at-once",
        text: words`${name} changes ${hosts} at once, without a canary`,
        urn,
      });
    }
    if (change.irreversible) {
      found.push({
        level: "attention",
        kind: "irreversible",
        text: words`${name} is declared irreversible: what ${hosts} start is not taken back, whatever comes of it`,
        urn,
      });
    }
    if (change.reconnected.length > 0) {
      found.push({
        level: "notice",
        kind: "connection",
        text: words`${name} reaches ${list(change.reconnected)} another way`,
        urn,
      });
    }
    return found;
  });
}

/** Drift, apart from what the program changes: of unchanged components too, and of other packages' resources. */
function drift({ resources, refreshed }: StackPreview): Found[] {
  const seen = new Map<string, Found>();
  for (const resource of [...refreshed, ...resources]) {
    const { urn, name, type, oldInputs, oldOutputs, newOutputs } = resource;
    if (!isRelease(resource)) {
      if (
        resource.op === "refresh" &&
        JSON.stringify(oldOutputs) !== JSON.stringify(newOutputs) &&
        !/^(gofleet|pulumi):/.test(type)
      ) {
        seen.set(urn, {
          level: "attention",
          kind: "drift",
          text: words`${type} ${name} is not as the state says`,
          urn,
        });
      }
      continue;
    }
    const found = { ...driftOf(oldInputs), ...(resource.op === "refresh" ? driftOf(newOutputs) : {}) };
    const hosts = Object.keys(found);
    if (hosts.length === 0) continue;
    const paths = [...new Set(Object.values(found).flatMap((each) => Object.keys(each)))].sort();
    const text = words`${ownerOf(resource)}: ${list(paths)} changed by hand on ${list(hosts)}`;
    seen.set(urn, { level: "attention", kind: "drift", text, urn });
  }
  return [...seen.values()];
}

/** Pinned releases, unchanged ones too. */
function pins({ resources, diagnostics }: StackPreview): Found[] {
  return resources.filter(isRelease).flatMap((resource): Found[] => {
    const text = pinRisk(ownerOf(resource), resource, diagnostics);
    return text === undefined ? [] : [{ level: "attention", kind: "pin", text, urn: resource.urn }];
  });
}

/** The component a release belongs to, by the name the user gave it. */
function ownerOf({ name, parent }: ResourceChange): string {
  return parent === undefined || !/::gofleet:|\$gofleet:/.test(parent) ? name : nameOf(parent);
}
