import type { KeptRelease } from "../host/kept";
import type { Deployed, Kept } from "./releases-deployed";

/** One release of a component over all its hosts. */
export interface ReleaseRow {
  readonly id: string;
  /** The newest switch to it on any host, UTC in ISO 8601; and who did it. */
  readonly time: string;
  readonly operator: string;
  readonly commit: string;
  readonly snapshot: string;
  /** Hosts that run it, that can go back to it, and that hold it damaged. */
  readonly current: readonly string[];
  readonly kept: readonly string[];
  readonly damaged: readonly string[];
}

/** Every release that a host keeps, the newest first. */
export function releaseRows(kept: Kept): ReleaseRow[] {
  const found = new Map<string, { readonly host: string; readonly release: KeptRelease }[]>();
  for (const [host, outcome] of kept) {
    for (const release of outcome.ok ? outcome.value : []) {
      found.set(release.id, [...(found.get(release.id) ?? []), { host, release }]);
    }
  }
  const rows = [...found].map(([id, all]): ReleaseRow => {
    const hosts = (of: (release: KeptRelease) => boolean): string[] =>
      all.filter(({ release }) => of(release)).map(({ host }) => host);
    const newest = all.map(({ release }) => release).reduce((a, b) => (b.time > a.time ? b : a));
    const origin = all.find(({ release }) => release.commit !== "")?.release;
    return {
      id,
      time: newest.time,
      operator: newest.operator,
      commit: origin?.commit ?? "",
      snapshot: origin?.snapshot ?? "",
      current: hosts(({ current }) => current),
      kept: hosts(({ whole }) => whole),
      damaged: hosts(({ whole }) => !whole),
    };
  });
  // A host lists them by the order in which they came, which a clock that was put back does not tell.
  const order = [...kept.values()].flatMap((outcome) => (outcome.ok ? [outcome.value.map(({ id }) => id)] : []));
  const rank = (id: string): number => Math.min(...order.map((ids) => ids.indexOf(id)).filter((at) => at >= 0));
  return rows.sort((a, b) => rank(a.id) - rank(b.id) || (a.time < b.time ? 1 : -1) || (a.id < b.id ? -1 : 1));
}

/** The releases of a component for a terminal. `marks`: more to say of a release, such as that it is protected. */
export function releasesText(
  { component, hosts, pin }: Deployed,
  kept: Kept,
  marks: (id: string) => string | undefined,
): string {
  const count = Object.keys(hosts).length;
  const rows = releaseRows(kept).map((row) => [
    `${row.current.length > 0 ? "▶" : " "} ${row.id}`,
    onHosts(row, kept),
    shortTime(row.time),
    row.operator || "–",
    madeFrom(row),
    [row.id === pin?.release ? "pinned" : undefined, marks(row.id)].filter((each) => each !== undefined).join(", "),
  ]);
  const silent = [...kept].flatMap(([host, outcome]) => (outcome.ok ? [] : [`  ${host}: ${outcome.error.message}`]));
  const why = pin?.reason === undefined ? "" : `: ${pin.reason}`;
  return [
    `${component}, ${count} ${count === 1 ? "host" : "hosts"}${pin === undefined ? "" : `, pinned to ${pin.release}${why}`}`,
    ...(rows.length === 0
      ? ["  no release is kept"]
      : table([["  release", "hosts", "last switch", "by", "made from", ""], ...rows])),
    ...(silent.length === 0 ? [] : ["  did not answer:", ...silent.map((line) => `  ${line}`)]),
  ]
    .map(printable)
    .join("\n");
}

/** `2026-11-21 13:37 UTC`. */
export function shortTime(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : iso || "–";
}

export function madeFrom({ snapshot, commit }: Pick<ReleaseRow, "snapshot" | "commit">): string {
  return snapshot || (commit === "" ? "–" : commit.slice(0, 12));
}

const NAMED = 4;

/** `runs on 3 of 3`; `kept on 1 of 3, gone from rack-03, damaged on rack-02`. */
function onHosts({ current, kept: whole, damaged }: ReleaseRow, kept: Kept): string {
  const asked = [...kept].flatMap(([host, { ok }]) => (ok ? [host] : []));
  const gone = asked.filter((host) => !whole.includes(host) && !damaged.includes(host));
  const names = (hosts: readonly string[]): string => (hosts.length <= NAMED ? hosts.join(", ") : String(hosts.length));
  return [
    ...(current.length > 0 ? [`runs on ${current.length} of ${asked.length}`] : []),
    ...(whole.length > current.length || current.length === 0 ? [`kept on ${whole.length} of ${asked.length}`] : []),
    ...(gone.length > 0 ? [`gone from ${names(gone)}`] : []),
    ...(damaged.length > 0 ? [`damaged on ${names(damaged)}`] : []),
  ].join(", ");
}

/** Lines of columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(all[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** What a host says must not steer the terminal it is shown on. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, "\uFFFD");
}
