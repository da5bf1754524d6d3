import { isDeepStrictEqual } from "node:util";
import { hasUnknown } from "./release-check";
import { prepare, wantedRelease } from "./prepared-release";
import { needsWork } from "./release-manager";
import type { ReleaseInputs, ReleaseState } from "./release";

export interface ReleaseDiff {
  readonly changes: boolean;
  readonly replaces: string[];
}

/** Settings of the operator's side: a change is written to the state, no host is visited for it. */
const SETTINGS = ["hosts", "passwords", "policy", "rollout", "gateSecrets", "hooks", "pin"] as const;

/** Whether the hosts, or what the state says of them, have to change. A URN of another name is no change. */
export function diffRelease(olds: ReleaseState, news: ReleaseInputs): ReleaseDiff {
  if (olds.component !== news.component) return { changes: true, replaces: ["component"] };
  if (hasUnknown(news)) return { changes: true, replaces: [] };
  const wanted = wantedRelease(news, olds.key).id;
  const hosts = [...new Set([...Object.keys(olds.hosts), ...Object.keys(news.hosts)])];
  const changes =
    hosts.some((host) => news.hosts[host] === undefined || needsWork(host, wanted, olds, news)) ||
    olds.drift !== undefined ||
    olds.unfinished !== undefined ||
    (news.pin !== undefined && prepare(news, olds.key).id !== prepare(olds, olds.key).id) ||
    SETTINGS.some((key) => !isDeepStrictEqual(plain(olds[key]), plain(news[key])));
  return { changes, replaces: [] };
}

/** What a person is told of a pin at every preview and update. */
export function pinnedText({ key }: ReleaseState, news: ReleaseInputs): string | undefined {
  const { component, pin } = news;
  if (pin === undefined) return undefined;
  const program = hasUnknown(news) ? undefined : prepare(news, key).id;
  const held =
    program === pin.release
      ? "which is the program's release as well"
      : `the program's release${program === undefined ? "" : ` ${program}`} is not rolled out`;
  const why = pin.reason === undefined ? "" : ` (${pin.reason})`;
  return `pinned to release ${pin.release}${why}: ${held}, until \`gofleet rollback ${component} --undo\``;
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
