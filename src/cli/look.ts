import { resolve } from "node:path";
import { text, type AgentEvent } from "../host/agent-output";
import { connect, disconnectAll } from "../host/connect";
import { formatConnection, parseConnection } from "../host/connection";
import { HostSession } from "../host/host-session";
import { inParallel } from "../host/in-parallel";
import {
  changes,
  SECRET,
  UNKNOWN,
  type HostLook,
  type LowRoom,
  type Preview,
  type StackPreview,
} from "../report/change";
import { isMap } from "../report/compare";
import { isRelease } from "../report/release-change";

/** Seconds for one host. */
const DEADLINE = 60;
const CONNECT = 15;
const PARALLEL = 16;

/**
 * Looks at every host that the preview would visit: does it answer, and is there room. Nothing is changed there.
 *
 * @param project its directory, which roots on this machine are relative to
 * @param lowDisk share of a file system, of its bytes and of its inodes, below which it is low: 0.1
 */
export async function look(preview: Preview, project: string, lowDisk: number): Promise<Preview> {
  const lines = new Set(preview.stacks.flatMap((stack) => [...hostsOf(stack).values()]).filter(reachable));
  try {
    const outcomes = await inParallel([...lines].sort(), PARALLEL, (line) => room(line, project));
    return {
      stacks: preview.stacks.map((stack) => {
        const looked = [...hostsOf(stack)].map(([host, line]): HostLook => {
          const outcome = outcomes.get(line);
          if (outcome === undefined) return { host, problem: "its address is not known before the update", low: [] };
          return outcome.ok
            ? { host, low: outcome.value.flatMap((each) => lowRoom(each, lowDisk)) }
            : { host, problem: outcome.error.message, low: [] };
        });
        return { ...stack, looked };
      }),
    };
  } finally {
    disconnectAll();
  }
}

/** Connection lines of the hosts that an update would visit, by key. */
function hostsOf({ resources }: StackPreview): Map<string, string> {
  const found = resources
    .filter((each) => isRelease(each) && changes(each))
    .flatMap(({ oldInputs, newInputs }) =>
      [oldInputs["hosts"], newInputs["hosts"]].flatMap((hosts) => (isMap(hosts) ? Object.entries(hosts) : [])),
    );
  return new Map(found.map(([host, line]) => [host, String(line)]));
}

function reachable(line: string): boolean {
  return line !== SECRET && line !== UNKNOWN;
}

async function room(line: string, project: string): Promise<AgentEvent[]> {
  const connection = parseConnection(line);
  const root = connection.kind === "local" ? resolve(project, connection.root) : undefined;
  const place = root === undefined ? line : formatConnection({ kind: "local", root });
  const transport = connect(place, process.env["GOFLEET_SUDO_PASSWORD"]);
  const session = new HostSession(transport.place, transport, { deadline: DEADLINE, connect: CONNECT });
  const { events } = session.expectSuccess(await session.ask("room", { root }));
  return events.filter(({ ev }) => ev === "room");
}

/** What of a file system is low. One that counts no inodes has none to run out of. */
function lowRoom(event: AgentEvent, lowDisk: number): LowRoom[] {
  const number = (field: string): number => Number(event[field] ?? 0);
  const path = text(event, "path");
  return [
    { path, of: "bytes" as const, free: number("free"), all: number("bytes") },
    { path, of: "inodes" as const, free: number("inodesfree"), all: number("inodes") },
  ].filter(({ free, all }) => all > 0 && free / all < lowDisk);
}
