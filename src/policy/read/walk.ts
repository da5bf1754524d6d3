import { at, isFields } from "../../model/check";

/** A text among a resource's inputs. */
export interface Text {
  readonly path: string;
  /** The last name on the path, and what it says of the text: `GOPROXY`, `userData`. */
  readonly key: string;
  readonly text: string;
}

/** Every text among the inputs, with its path; numbers, flags and unknown values are left out. */
export function texts(value: unknown, path = "", key = ""): Text[] {
  if (typeof value === "string") return [{ path, key, text: value }];
  if (Array.isArray(value)) return value.flatMap((each, index) => texts(each, at(path, index), key));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => texts(each, at(path, name), name));
}

/** Every object among the inputs, the outermost first, with its path. */
export function objects(value: unknown, path = ""): { readonly path: string; readonly fields: Fields }[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => objects(each, at(path, index)));
  if (!isFields(value)) return [];
  const below = Object.entries(value).flatMap(([name, each]) => objects(each, at(path, name)));
  return [{ path, fields: value }, ...below];
}

export type Fields = Readonly<Record<string, unknown>>;

/** The value at the keys, or undefined where the way there ends. */
export function field(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), value);
}

/** The entries of a map, or none where the value is no map. */
export function entries(value: unknown): [string, unknown][] {
  return isFields(value) ? Object.entries(value) : [];
}

/** The members of a list with their paths; a single object counts as a list of one. */
export function members(value: unknown, path: string): { readonly path: string; readonly value: unknown }[] {
  if (Array.isArray(value)) return value.map((each: unknown, index) => ({ path: at(path, index), value: each }));
  return isFields(value) ? [{ path, value }] : [];
}
