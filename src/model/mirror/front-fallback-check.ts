import { isIP } from "node:net";
import { at, didYouMean, isFields, issuesOf, unknownKeys } from "../check";
import { issue, type Issue } from "../issues";
import { parsePath } from "../names";
import { parseDuration } from "../units";
import { parseRange, parseShortName, parseTierUrl } from "./front-parse";

/** Checks tiers and regions: every name that is used exists, every network belongs to one region. */
export function checkFallback(given: unknown, path: string): Issue[] {
  const wanted = '{ tiers: [{ name: "backup", url: "https://goproxy-b.corp.example" }] }';
  if (!isFields(given)) return [issue(path, given, wanted)];
  const { tiers, regions, after, caFile, resolver } = given;
  if (!Array.isArray(tiers) || tiers.length === 0)
    return [issue(at(path, "tiers"), tiers, `one or more tiers: ${wanted}`)];
  return [
    ...checkTiers(at(path, "tiers"), tiers),
    ...(regions === undefined ? [] : checkRegions(at(path, "regions"), regions, tiers.map(nameOf))),
    ...(after === undefined ? [] : checkAfter(at(path, "after"), after)),
    ...(caFile === undefined ? [] : issuesOf(parsePath(at(path, "caFile"), caFile))),
    ...(resolver === undefined ? [] : checkResolver(at(path, "resolver"), resolver)),
    ...unknownKeys(path, given, ["tiers", "regions", "after", "caFile", "resolver"]),
  ];
}

function checkTiers(path: string, tiers: readonly unknown[]): Issue[] {
  const names = tiers.map(nameOf);
  return tiers.flatMap((tier, index) => {
    const here = at(path, index);
    if (!isFields(tier)) return [issue(here, tier, '{ name: "backup", url: "https://goproxy-b.corp.example" }')];
    const name = parseShortName(at(here, "name"), tier.name);
    const twice = name.issue === undefined && names.indexOf(name.value) !== index;
    return [
      ...issuesOf(name),
      ...(twice ? [issue(at(here, "name"), tier.name, "a name of its own for each tier")] : []),
      ...issuesOf(parseTierUrl(at(here, "url"), tier.url)),
      ...unknownKeys(here, tier, ["name", "url"]),
    ];
  });
}

function checkRegions(path: string, regions: unknown, tiers: readonly (string | undefined)[]): Issue[] {
  if (!isFields(regions)) return [issue(path, regions, '{ asia: { ranges: ["10.8.0.0/16"], tiers: ["singapore"] } }')];
  const seen = new Set<string>();
  return Object.entries(regions).flatMap(([name, region]) => {
    const here = at(path, name);
    if (!isFields(region)) return [issue(here, region, '{ ranges: ["10.8.0.0/16"], tiers: ["singapore"] }')];
    return [
      ...issuesOf(parseShortName(here, name)),
      ...checkRanges(at(here, "ranges"), region.ranges, seen),
      ...checkOrder(at(here, "tiers"), region.tiers, tiers),
      ...unknownKeys(here, region, ["ranges", "tiers"]),
    ];
  });
}

function checkRanges(path: string, given: unknown, seen: Set<string>): Issue[] {
  if (!Array.isArray(given) || given.length === 0) return [issue(path, given, 'networks such as ["10.8.0.0/16"]')];
  return given.flatMap((each: unknown, index) => {
    const range = parseRange(at(path, index), each);
    if (range.issue) return [range.issue];
    if (seen.has(range.value)) return [issue(at(path, index), each, "each network in one region only")];
    seen.add(range.value);
    return [];
  });
}

function checkOrder(path: string, given: unknown, tiers: readonly (string | undefined)[]): Issue[] {
  const known = tiers.filter((name) => name !== undefined);
  if (!Array.isArray(given)) return [issue(path, given, `names of tiers in order (${known.join(", ")})`)];
  return given.flatMap((each: unknown, index) => {
    if (given.indexOf(each) !== index) return [issue(at(path, index), each, "each tier once")];
    return known.some((name) => name === each)
      ? []
      : [issue(at(path, index), each, didYouMean(String(each), known, "tier"))];
  });
}

function checkAfter(path: string, given: unknown): Issue[] {
  const time = parseDuration(path, given);
  if (time.issue) return [time.issue];
  return Number.isInteger(time.value) && time.value > 0 ? [] : [issue(path, given, "whole seconds, at least one")];
}

function checkResolver(path: string, given: unknown): Issue[] {
  if (!Array.isArray(given) || given.length === 0)
    return [issue(path, given, 'addresses of DNS servers, such as ["192.0.2.53"]')];
  return given.flatMap((each: unknown, index) =>
    typeof each === "string" && isIP(each) !== 0 && !each.includes("%")
      ? []
      : [issue(at(path, index), each, "an IP address of a DNS server")],
  );
}

function nameOf(tier: unknown): string | undefined {
  return isFields(tier) && typeof tier.name === "string" ? tier.name : undefined;
}
