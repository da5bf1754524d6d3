import { connect, disconnectAll } from "../host/connect";
import { parseConnection } from "../host/connection";
import { HostSession, type Answer } from "../host/host-session";
import type { Entries } from "../host/upload";
import { toError } from "../model/thrown";
import type { ProgramRelease } from "./program";

const DEADLINE = 120;
const CONNECT = 15;

/** What one host answered to a read-only verb, or why it did not. */
export interface Asked {
  readonly release: ProgramRelease;
  readonly host: string;
  readonly answer?: Answer;
  readonly error?: Error;
}

/** Asks every host of the releases, or only those of the given keys, one verb that changes nothing. */
export async function askHosts(
  releases: readonly ProgramRelease[],
  keys: readonly string[],
  verb: "read" | "adoption",
  entries: (release: ProgramRelease) => Entries,
): Promise<Asked[]> {
  const known = new Set(releases.flatMap(({ hosts }) => Object.keys(hosts)));
  const stranger = keys.find((key) => !known.has(key));
  if (stranger !== undefined) throw new Error(`no host "${stranger}" in the program; it has ${[...known].join(", ")}`);
  const jobs = releases.flatMap((release) =>
    Object.entries(release.hosts)
      .filter(([key]) => keys.length === 0 || keys.includes(key))
      .map(([host, line]) => ask(release, host, line, verb, entries(release))),
  );
  try {
    return await Promise.all(jobs);
  } finally {
    disconnectAll();
  }
}

async function ask(
  release: ProgramRelease,
  host: string,
  line: string,
  verb: string,
  entries: Entries,
): Promise<Asked> {
  const connection = parseConnection(line);
  const root = connection.kind === "local" && connection.root !== "/" ? connection.root : undefined;
  const session = new HostSession(host, connect(line, process.env["GOFLEET_SUDO_PASSWORD"]), {
    deadline: DEADLINE,
    connect: CONNECT,
  });
  try {
    return { release, host, answer: await session.ask(verb, { component: release.component, root }, entries) };
  } catch (error) {
    return { release, host, error: toError(error) };
  }
}
