import type { HostLook, LowRoom, StackPreview } from "./change";
import type { RiskKind } from "./report";
import { counted, list, number, own, words, type Words } from "./words";

interface Found {
  readonly level: "attention";
  readonly kind: RiskKind;
  readonly text: Words;
}

/** What a look at the hosts found, one risk for all hosts that have the same. */
export function lookedRisks({ looked = [] }: StackPreview): Found[] {
  const silent = looked.filter(({ problem }) => problem !== undefined);
  const low = new Map<string, { readonly host: string; readonly room: LowRoom }[]>();
  for (const { host, low: rooms } of looked) {
    for (const room of rooms) {
      const key = `${room.path} ${room.of}`;
      low.set(key, [...(low.get(key) ?? []), { host, room }]);
    }
  }
  return [
    ...(silent.length === 0 ? [] : [{ level: "attention", kind: "unreachable", text: silence(silent) } as const]),
    ...[...low.values()].map((all): Found => ({ level: "attention", kind: "disk", text: lowText(all) })),
  ];
}

function silence(silent: readonly HostLook[]): Words {
  const hosts = silent.map(({ host }) => host);
  const why = silent[0]?.problem?.split("\n")[0] ?? "";
  if (hosts.length === 1) return words`${list(hosts)} could not be looked at: ${why}`;
  return words`${counted(hosts.length, "host")} could not be looked at: ${list(hosts)}; of the first: ${why}`;
}

function lowText(all: readonly { readonly host: string; readonly room: LowRoom }[]): Words {
  const hosts = all.map(({ host }) => host);
  const [least] = all.map(({ room }) => room).sort((a, b) => a.free / a.all - b.free / b.all);
  if (least === undefined) return own("");
  const share = own(`${Math.floor((least.free / least.all) * 100)} %`);
  const amount = own(least.of === "bytes" ? ` (${size(least.free)})` : ` (${number(least.free)})`);
  const what = own(least.of === "bytes" ? "space" : "inodes");
  const who = hosts.length === 1 ? words`${list(hosts)} has` : words`${counted(hosts.length, "host")} have`;
  const names = hosts.length === 1 ? own("") : words`: ${list(hosts)}`;
  const most = own(hosts.length === 1 ? "" : "as little as ");
  return words`${who} ${most}${share} of the ${what} on ${least.path} left${amount}${names}`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** `1.2 GiB`. */
function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? ""}`;
}
