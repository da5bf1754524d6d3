import type { Parsed } from "./check";
import { issue } from "./issues";

/** A number and its unit, with or without a space. */
type Spelled<Unit extends string> = `${number} ${Unit}` | `${number}${Unit}`;

/** A size in binary units, with or without a space: `"24 GiB"`, `"512MiB"`. Whole numbers; 1 KiB = 1024 B. */
export type Size = Spelled<"B" | "KiB" | "MiB" | "GiB" | "TiB">;

/** A time span, with or without a space: `"30 s"`, `"5min"`. Whole numbers; `m` is a minute, as in Go and systemd. */
export type Duration = Spelled<"ms" | "s" | "min" | "m" | "h" | "d">;

/** A share of a whole, 0 to 100, with or without a space: `"25 %"`, `"25%"`. Whole numbers. */
export type Percent = Spelled<"%">;

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, m: 60, h: 3600, d: 86400 };

const DECIMAL_SIZE = /^[kKMGT]B?$/;

/** Bytes of a {@link Size}. */
export function parseSize(path: string, given: unknown): Parsed<number> {
  return parseUnits(path, given, BYTES, 'a size such as "24 GiB" (B, KiB, MiB, GiB, TiB)', (unit) =>
    DECIMAL_SIZE.test(unit) ? `"${unit[0]?.toUpperCase()}iB" instead of "${unit}": sizes are binary here` : undefined,
  );
}

/** Seconds of a {@link Duration}; milliseconds are a fraction. */
export function parseDuration(path: string, given: unknown): Parsed<number> {
  return parseUnits(path, given, SECONDS, 'a duration such as "30 s" (ms, s, min, h, d)', (unit) =>
    unit === "M" ? '"min" for minutes: "M" would be months' : undefined,
  );
}

/** A {@link Percent} as a number from 0 to 100. */
export function parsePercent(path: string, given: unknown): Parsed<number> {
  const wanted = 'a share such as "25 %", from 0 to 100';
  const parsed = parseUnits(path, given, { "%": 1 }, wanted);
  return parsed.issue === undefined && parsed.value > 100 ? { issue: issue(path, given, wanted) } : parsed;
}

/** The shortest exact spelling of a number of bytes: 25769803776 → `24 GiB`. */
export function formatSize(bytes: number): Size {
  return format(bytes, ["TiB", "GiB", "MiB", "KiB"] as const, BYTES) ?? `${bytes} B`;
}

/** The shortest exact spelling of a number of seconds: 300 → `5 min`, 0.25 → `250 ms`. */
export function formatDuration(seconds: number): Duration {
  return format(seconds, ["d", "h", "min", "s"] as const, SECONDS) ?? `${Math.round(seconds * 1000)} ms`;
}

function parseUnits(
  path: string,
  given: unknown,
  units: Readonly<Record<string, number>>,
  wanted: string,
  hint: (unit: string) => string | undefined = () => undefined,
): Parsed<number> {
  const refuse = (what: string) => ({ issue: issue(path, given, what) });
  if (typeof given !== "string") return refuse(wanted);
  const [, number = "", unit = ""] = /^(\d+(?:[.,]\d+)?) ?([A-Za-z%]+)$/.exec(given) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) return refuse(hint(unit) ?? wanted);
  if (!/^\d+$/.test(number)) return refuse(`${wanted}; a whole number, in a smaller unit where needed`);
  const value = unit === "ms" ? Number(number) / 1000 : Number(number) * factor;
  return Number.isSafeInteger(Number(number) * Math.max(1, factor)) ? { value } : refuse(`${wanted}, not as large`);
}

function format<Unit extends string>(
  value: number,
  units: readonly Unit[],
  factors: Readonly<Record<string, number>>,
): `${number} ${Unit}` | undefined {
  const unit = units.find((each) => value !== 0 && Number.isInteger(value / (factors[each] ?? NaN)));
  return unit && `${value / (factors[unit] ?? 1)} ${unit}`;
}
