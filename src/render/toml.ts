import { createRequire } from "node:module";
import { MARKER } from "./marker";

// The package has a CommonJS build, but describes its types for the other one only.
type Toml = typeof import("smol-toml", { with: { "resolution-mode": "import" } });
const { stringify } = createRequire(__filename)("smol-toml") as Toml;

/** What a TOML file can hold here; `undefined` leaves the key out. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;

export interface TomlTable {
  readonly [key: string]: TomlValue | undefined;
}

/** A TOML file, keys in alphabetical order. See https://toml.io/en/v1.0.0. */
export function tomlFile(table: TomlTable): string {
  return `${MARKER}\n\n${stringify(sorted(table))}`;
}

function sorted(table: TomlTable): TomlTable {
  const entries = Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, isTable(value) ? sorted(value) : value]));
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value);
}
