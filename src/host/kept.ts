import type { Pin } from "../model/pin";
import { text } from "./agent-output";
import type { Answer } from "./host-session";
import type { Outcome } from "./in-parallel";

/** A release that a host keeps. */
export interface KeptRelease {
  /** 16 hex digits. */
  readonly id: string;
  /** When the host last switched to it, UTC. */
  readonly time: string;
  /** Who did, and where from; empty where it is not known. */
  readonly operator: string;
  /** What brought it was made from this commit, and is this snapshot; empty where that is not known. */
  readonly commit: string;
  readonly snapshot: string;
  /** The irreversible release that came on after it: its data may be of no use to this one. Empty: none did. */
  readonly behind: string;
  readonly current: boolean;
  /** The host can go back to it: all of it is there and as it came. */
  readonly whole: boolean;
}

/** What the verb `releases` answered, the newest first. */
export function keptReleases({ events }: Answer): KeptRelease[] {
  return events
    .filter(({ ev }) => ev === "release")
    .map((event) => ({
      id: text(event, "id"),
      time: text(event, "time"),
      operator: text(event, "operator"),
      commit: text(event, "commit"),
      snapshot: text(event, "snapshot"),
      behind: text(event, "behind"),
      current: event["current"] === true,
      whole: event["whole"] === true,
    }));
}

/**
 * The hosts that cannot go back to a release, each with why and with what it keeps instead; sorted.
 * @param force also where an irreversible release came on since
 */
export function cannotHold(
  release: string,
  hosts: ReadonlyMap<string, Outcome<readonly KeptRelease[]>>,
  force = false,
): string[] {
  return [...hosts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([host, outcome]) => {
      if (!outcome.ok) return [outcome.error.message];
      const kept = outcome.value.find(({ id }) => id === release);
      if (kept?.whole === true && kept.behind !== "" && !force) {
        return [
          `${host}: ${kept.behind}, which came on after ${release}, is declared irreversible: --force with --reason`,
        ];
      }
      if (kept?.whole === true) return [];
      if (kept !== undefined) {
        return [`${host}: ${release} is there, and not as it came: a file was changed, or a part is gone`];
      }
      const others = outcome.value.filter(({ whole }) => whole).map(({ id }) => id);
      const instead = others.length === 0 ? "no release is kept there" : `kept there: ${others.join(", ")}`;
      return [`${host}: ${release} is gone; ${instead}`];
    });
}

/** The refusal of a pin, before any host is touched; undefined where every host can go back. */
export function refusalOf(
  component: string,
  { release, force }: Pin,
  hosts: ReadonlyMap<string, Outcome<readonly KeptRelease[]>>,
): Error | undefined {
  const lines = cannotHold(release, hosts, force);
  if (lines.length === 0) return undefined;
  const undo = `gofleet rollback ${component}`;
  return new Error(
    [
      `${component} is pinned to release ${release}, and not every host can go back to it; nothing was changed`,
      ...lines.map((line) => line.replace(/^/gm, "  ")),
      `  → \`${undo} --to <id>\` with a release that every host keeps, or \`${undo} --undo\``,
    ].join("\n"),
  );
}
