import type { AbsolutePath } from "../names";
import { parseDuration, parsePercent, parseSize, type Duration, type Percent, type Size } from "../units";
import type { Parsed } from "../check";

/** How the store is kept within its budget and in good health. Everything has a default. */
export interface StoreArgs {
  /**
   * Share of the budget, or of the file system's bytes or inodes, at which versions are collected and an alert fires.
   * @default "85 %"
   */
  readonly alertAt?: Percent;
  /**
   * Share at which Athens is made to serve what it has and fetch nothing more, until the share is below `alertAt` again.
   * @default "95 %"
   */
  readonly readOnlyAt?: Percent;
  /**
   * How often shares are compared with the marks. A file system that fills up faster than this is full before it is
   * read-only; no truncated file is served then either.
   * @default "15 s"
   */
  readonly watchEvery?: Duration;
  /**
   * How often every version is looked at: files that changed since they were read are read again.
   * @default "10 min"
   */
  readonly repairEvery?: Duration;
  /**
   * Within this time every byte of the store is read again, a part in each repair.
   * @default "30 d"
   */
  readonly readAllWithin?: Duration;
  /** What is removed to stay within the budget. */
  readonly gc?: StoreGc;
  /**
   * The mirror has no upstream: nothing that is removed could be fetched again, so nothing is collected.
   * @default false
   */
  readonly offline?: boolean;
}

/** Whole versions only, those first that nobody has asked for the longest. */
export interface StoreGc {
  /**
   * Versions that nobody has asked for in this time go, budget or no budget. Needs a file system that is not mounted
   * with `noatime`.
   * @default nothing goes by age alone
   */
  readonly unusedFor?: Duration;
  /**
   * Versions that came within this time stay, whatever the budget.
   * @default "1 d"
   */
  readonly keepNewerThan?: Duration;
  /**
   * Modules that stay: patterns of module path prefixes as in GOPRIVATE, such as `git.corp.example/*`.
   * @default none
   */
  readonly keep?: readonly string[];
}

/** Where the store is and how much it may hold. */
export interface StoreSpace {
  readonly path: AbsolutePath;
  /** @default what its file system has */
  readonly max?: Size | string;
}

/** {@link StoreArgs} with every default in place; sizes in bytes, times in seconds, shares in percent. */
export interface Store {
  readonly path: AbsolutePath;
  /** 0: as much as the file system has. */
  readonly maxBytes: number;
  readonly alertAt: number;
  readonly readOnlyAt: number;
  readonly watchEvery: number;
  readonly repairEvery: number;
  readonly readAllWithin: number;
  /** 0: never by age alone. */
  readonly unusedFor: number;
  readonly keepNewerThan: number;
  readonly keep: readonly string[];
  readonly offline: boolean;
}

/** The defaults of {@link StoreArgs}, as a person would write them. */
export const STORE_DEFAULTS = {
  alertAt: "85 %",
  readOnlyAt: "95 %",
  watchEvery: "15 s",
  repairEvery: "10 min",
  readAllWithin: "30 d",
  keepNewerThan: "1 d",
} as const satisfies StoreArgs & StoreGc;

/** Puts the defaults in place. The args must have passed `checkStore`. */
export function resolveStore(args: StoreArgs, { path, max }: StoreSpace): Store {
  const { gc = {}, offline = false } = args;
  const given = { ...STORE_DEFAULTS, ...defined(args), ...defined(gc) };
  return {
    path,
    maxBytes: max === undefined ? 0 : value(parseSize("max", max)),
    alertAt: value(parsePercent("alertAt", given.alertAt)),
    readOnlyAt: value(parsePercent("readOnlyAt", given.readOnlyAt)),
    watchEvery: value(parseDuration("watchEvery", given.watchEvery)),
    repairEvery: value(parseDuration("repairEvery", given.repairEvery)),
    readAllWithin: value(parseDuration("readAllWithin", given.readAllWithin)),
    unusedFor: gc.unusedFor === undefined ? 0 : value(parseDuration("gc.unusedFor", gc.unusedFor)),
    keepNewerThan: value(parseDuration("gc.keepNewerThan", given.keepNewerThan)),
    keep: [...(gc.keep ?? [])].sort(),
    offline,
  };
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, each]) => each !== undefined)) as Partial<T>;
}

function value<T>(parsed: Parsed<T>): T {
  if (parsed.issue) throw new Error(`${parsed.issue.path}: wanted ${parsed.issue.wanted}`);
  return parsed.value;
}
