import { isIP } from "node:net";
import { at } from "../model/check";
import { issue, sentence, type Issue } from "../model/issues";
import { isReleaseId } from "../model/pin";
import { refusalsOf, type Refusal } from "../model/refused";
import { ONLY_HOST, parseConnection } from "./connection";
import type { PlanBuild, PlanWatch } from "../plan/host-plan";
import type { PlanInputs, ReleaseInputs } from "./release";

/** The SDK's stand-in for a value that is not known before the update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\s"'*?[$\p{Cc}]+)+$/u;
const COMPONENT = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const ATTRIBUTES = /^[0-7]{4} [a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*( copy)?$/;
/** A last `-` would ask apt to remove the package. See https://www.debian.org/doc/debian-policy/ch-controlfields.html#package. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]*[a-z0-9+]$/;
const FILE_NAME = /^[A-Za-z0-9][\w.+-]*$/;
const LARGEST_FILE = 1024 * 1024;

/** What is wrong with a release's inputs; everything below an unknown is left for the update. */
export function checkRelease(inputs: ReleaseInputs): { property: string; reason: string }[] {
  const found: Issue[] = [];
  const add = (path: string, given: unknown, wanted: string): void => void found.push(issue(path, given, wanted));
  const refused: Refusal[] = [];
  const known = (value: unknown): boolean => value !== UNKNOWN;

  if (known(inputs.component) && !COMPONENT.test(inputs.component)) {
    add("component", inputs.component, "a directory name of a-z, 0-9, '.', '_' and '-', at most 63 long");
  }
  for (const [path, text] of entries(inputs.files)) {
    if (!PATH.test(path))
      add(`files["${path}"]`, path, "an absolute path without white space, quotes or . and .. parts");
    const refusals = refusalsOf(text);
    if (refusals.length > 0) {
      refused.push(...refusals);
      continue;
    }
    if (known(text) && typeof text !== "string") add(`files["${path}"]`, typeof text, "text");
    if (typeof text === "string" && text.length > LARGEST_FILE)
      add(`files["${path}"]`, text.length, "at most 1 MiB of text");
  }
  // A secret's refusal says what is wrong with it, never what it is.
  for (const [, secret] of entries(inputs.secrets)) refused.push(...refusalsOf(secret));
  for (const [path, line] of entries(inputs.plan?.attributes)) {
    if (known(line) && !ATTRIBUTES.test(line))
      add(`plan.attributes["${path}"]`, line, '"0644 root:root", or with " copy"');
  }
  for (const path of [
    ...Object.keys(known(inputs.plan) ? (inputs.plan?.symlinks ?? {}) : {}),
    ...Object.keys(known(inputs.plan) ? (inputs.plan?.links ?? {}) : {}),
  ]) {
    if (!PATH.test(path)) add(`plan.symlinks["${path}"]`, path, "an absolute path");
  }
  if (inputs.pin !== undefined && !isReleaseId(inputs.pin.release))
    add("pin.release", inputs.pin.release, "a release id: 16 hex digits");
  if (inputs.pin !== undefined && inputs.pin.reason === undefined && known(inputs.policy) && inputs.policy.reasons)
    add("pin.reason", undefined, 'why, as audit.reasons of the target says: `gofleet rollback --reason "why"`');
  if (known(inputs.plan)) found.push(...checkSupplies(inputs.plan));
  found.push(...checkHosts(inputs));
  refused.push(...hostRefusals(inputs));
  return [
    ...found.map((each) => ({ property: each.path, reason: sentence(each) })),
    // No property: the engine would name one of this resource, and show a value that is none of the user's.
    ...refused.map(({ path, reason }) => ({ property: "", reason: `${path}: ${reason}` })),
  ];
}

/** What the host builds, installs and keeps free. */
function checkSupplies({ packages, listens, downloads, watch }: Partial<PlanInputs> = {}): Issue[] {
  const found: Issue[] = [];
  for (const name of isKnown(packages) ? (packages ?? []) : []) {
    if (isKnown(name) && !PACKAGE.test(name)) found.push(issue("plan.packages", name, "the name of a Debian package"));
  }
  for (const at of Object.keys(isKnown(listens) ? (listens ?? {}) : {})) {
    const [, v6, v4, port] = /^(?:\[(.*)\]|([^[\]:]*)):(\d+)$/.exec(at) ?? [];
    const right = isIP(v6 ?? v4 ?? "") === (v6 === undefined ? 4 : 6) && Number(port) > 0 && Number(port) < 65536;
    if (!right) found.push(issue("plan.listens", at, "an IP address (IPv6 in brackets) and a port, as in 0.0.0.0:443"));
  }
  if (isKnown(watch) && watch !== undefined) found.push(...checkWatch(watch));
  for (const [name, download] of Object.entries(isKnown(downloads) ? (downloads ?? {}) : {})) {
    if (isKnown(download) && isKnown(download.as) && download.as !== undefined && !FILE_NAME.test(download.as)) {
      found.push(issue(`plan.downloads["${name}"].as`, download.as, "a file name"));
    }
    if (isKnown(download) && download.build !== undefined && isKnown(download.build)) {
      found.push(...checkBuild(`plan.downloads["${name}"].build`, download.build));
    }
  }
  return found;
}

function checkWatch({ seconds, interval, together }: PlanWatch): Issue[] {
  const found: Issue[] = [];
  const whole = (value: unknown): boolean => !isKnown(value) || (Number.isInteger(value) && Number(value) > 0);
  if (!whole(seconds)) found.push(issue("plan.watch.seconds", seconds, "whole seconds, at least 1"));
  if (!whole(interval)) found.push(issue("plan.watch.interval", interval, "whole seconds, at least 1"));
  for (const other of isKnown(together) ? together : []) {
    if (isKnown(other) && !COMPONENT.test(other))
      found.push(issue("plan.watch.together", other, "a component's directory name under /etc/gofleet"));
  }
  return found;
}

function checkBuild(path: string, { package: what, output, goRoot, env }: PlanBuild): Issue[] {
  const found: Issue[] = [];
  if (isKnown(what) && !/^(?!.*\.\.)[A-Za-z0-9.][\w.~/-]*$/.test(what))
    found.push(issue(`${path}.package`, what, "a package's directory in the module, as in ./cmd/proxy"));
  if (isKnown(output) && !FILE_NAME.test(output)) found.push(issue(`${path}.output`, output, "a file name"));
  if (isKnown(goRoot) && !PATH.test(goRoot) && !/^download:[A-Za-z0-9][\w.+-]*$/.test(goRoot))
    found.push(
      issue(`${path}.goRoot`, goRoot, "an absolute path, or download: and the name of a download of the plan"),
    );
  for (const [key, value] of entries(env)) {
    if (!/^[A-Za-z_]\w*$/.test(key) || /[\r\n\0]/.test(value))
      found.push(issue(`${path}.env["${key}"]`, "(not shown)", "a variable's name and a value of one line"));
  }
  return found;
}

const isKnown = (value: unknown): boolean => value !== UNKNOWN;

function checkHosts({ hosts }: ReleaseInputs): Issue[] {
  if ((hosts as unknown) === UNKNOWN) return [];
  if (Object.keys(hosts ?? {}).length === 0) return [issue("hosts", {}, "at least one host")];
  const found: Issue[] = [];
  const places = new Map<string, string>();
  for (const [host, line] of Object.entries(hosts)) {
    if (line === UNKNOWN || refusalsOf(line).length > 0) continue;
    try {
      const connection = parseConnection(line);
      const place =
        connection.kind === "local" ? `local ${connection.root}` : `${connection.host}:${connection.port ?? 22}`;
      const other = places.get(place);
      if (other !== undefined)
        found.push(issue(`hosts["${host}"]`, place, `a host of its own; "${other}" is the same one`));
      places.set(place, host);
    } catch {
      found.push(issue(`hosts["${host}"]`, line, "a connection made by ssh({ … }) or local({ … })"));
    }
  }
  return found;
}

/** Connections that became known and will not do, under the path in the program. */
function hostRefusals({ hosts }: ReleaseInputs): Refusal[] {
  return entries(hosts).flatMap(([host, line]) =>
    refusalsOf(line).map(({ path, reason }) => ({
      path: path === "" ? "target" : `${host === ONLY_HOST ? "target" : at("target.hosts", host)}.${path}`,
      reason,
    })),
  );
}

function entries(map: Readonly<Record<string, string>> | undefined): [string, string][] {
  return (map as unknown) === UNKNOWN || map === undefined ? [] : Object.entries(map);
}

/** True if an unknown stands anywhere in the value. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
