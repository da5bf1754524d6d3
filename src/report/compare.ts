import { isDeepStrictEqual } from "node:util";
import { SECRET, UNKNOWN, type DetailedKind, type ResourceChange } from "./change";

/** One property that differs. */
export interface PropertyChange {
  /** `spec.ports[0].name`; a key with dots or brackets is quoted: `files["/etc/motd"]`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** As JSON, text as it is; absent where there was nothing. A secret is `[secret]`. */
  readonly before?: string;
  readonly after?: string;
  /** True: this property forces the replacement. */
  readonly replaces: boolean;
}

/** What differs of a resource: by the provider's list of paths where there is one, else by comparing the inputs. */
export function compare(change: ResourceChange): PropertyChange[] {
  const { oldInputs, newInputs, detailed, replaceKeys } = change;
  const forces = (path: string): boolean =>
    replaceKeys.some((key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`));
  const listed = Object.entries(detailed).sort(([a], [b]) => (a < b ? -1 : 1));
  if (listed.length > 0) {
    return listed.map(([path, kind]) => ({
      ...pair(at(change.oldInputs, path) ?? at(change.oldOutputs, path), at(newInputs, path)),
      path,
      kind: plainKind(kind),
      replaces: kind.endsWith("-replace") || forces(path),
    }));
  }
  const found: PropertyChange[] = [];
  walk(oldInputs, newInputs, "", (path, before, after) => {
    const kind = before === undefined ? "add" : after === undefined ? "delete" : "update";
    found.push({ ...pair(before, after), path, kind, replaces: forces(path) });
  });
  return found;
}

function plainKind(kind: DetailedKind): PropertyChange["kind"] {
  return kind.replace("-replace", "") as PropertyChange["kind"];
}

function pair(before: unknown, after: unknown): { before?: string; after?: string } {
  return {
    ...(before === undefined ? {} : { before: shown(before) }),
    ...(after === undefined ? {} : { after: shown(after) }),
  };
}

/** A value as text: strings as they are, the rest as JSON. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

type Found = (path: string, before: unknown, after: unknown) => void;

/** Visits the outermost differing values: where only one side has a map, the map as a whole. */
function walk(before: unknown, after: unknown, path: string, found: Found): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isMap(before) && isMap(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      walk(before[key], after[key], join(path, key), found);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    before.forEach((each, index) => walk(each, after[index], `${path}[${index}]`, found));
    return;
  }
  found(path, before, after);
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, key: string): string {
  if (!/^[\p{L}\p{N}_$-]+$/u.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The value at a path as providers write it: `a.b[0]["c.d"]`; undefined where there is none, or it is a secret's part. */
function at(value: unknown, path: string): unknown {
  const parts = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)];
  let found = value;
  for (const [, quoted, index, name] of parts) {
    if (found === SECRET || found === UNKNOWN) return found;
    if (Array.isArray(found) && index !== undefined) found = found[Number(index)];
    else if (isMap(found)) found = found[quoted?.replace(/\\(.)/g, "$1") ?? index ?? name ?? ""];
    else return undefined;
  }
  return found;
}
