import { isReleaseId } from "../model/pin";
import type { Deployed, Kept } from "./releases-deployed";
import { releaseRows, shortTime, type ReleaseRow } from "./releases-table";

/** Digits of a release's id that are enough, where they name one. */
const PREFIX = 8;

/**
 * The release that `--to` means: a whole id, or its beginning where only one release begins so.
 * @throws Error with the releases there are
 */
export function releaseTo(given: string, { component }: Deployed, kept: Kept): ReleaseRow {
  const rows = releaseRows(kept);
  if (!/^[0-9a-f]{8,16}$/.test(given)) {
    throw new Error(`--to "${given}": wanted a release id of 16 hex digits, or its first ${PREFIX} or more`);
  }
  const [found, ...more] = rows.filter(({ id }) => (isReleaseId(given) ? id === given : id.startsWith(given)));
  if (found === undefined) {
    throw new Error(`no host keeps a release ${given} of ${component}; there are\n${listed(rows)}`);
  }
  if (more.length > 0) {
    throw new Error(`${given} begins several releases of ${component}; give more of it\n${listed([found, ...more])}`);
  }
  return found;
}

/**
 * The release before: the newest one that runs nowhere and that every host can go back to.
 * @throws Error where there is none, or where it would be the one that the component was taken back from
 */
export function previousRelease({ component, pin }: Deployed, kept: Kept): ReleaseRow {
  const rows = releaseRows(kept);
  if (pin !== undefined) {
    throw new Error(
      `${component} is pinned to ${pin.release} already, so the one before may be what it was taken back from; ` +
        `say which by --to <id>\n${listed(rows)}`,
    );
  }
  const hosts = [...kept].flatMap(([host, { ok }]) => (ok ? [host] : []));
  const found = rows.find((row) => row.current.length === 0 && row.kept.length === hosts.length);
  if (found !== undefined) return found;
  throw new Error(
    `no release of ${component} but the current one is kept on every host; there ${rows.length === 0 ? "is none" : `are\n${listed(rows)}`}`,
  );
}

function listed(rows: readonly ReleaseRow[]): string {
  return rows
    .map(({ id, time, current, kept }) => {
      const where =
        current.length > 0 ? `runs on ${current.join(", ")}` : `kept on ${kept.join(", ") || "no host whole"}`;
      return `  ${id}  ${shortTime(time)}  ${where}`;
    })
    .join("\n");
}
