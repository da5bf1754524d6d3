/** Meets the agent of a real host at a step that `GOFLEET_PAUSE` names, from outside the host. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./support/commands";
import type { Host } from "./support/hosts";
import { pause } from "./support/machine";

/** An agent that waits. */
export interface Stop {
  /** Its process, as the host numbers it. */
  readonly pid: number;
  /** Lets it go on. */
  release(): void;
}

/**
 * Runs the operation; at the agent's first stop `act` decides, at every later one (the operator's side tried again) the
 * agent goes on.
 * @throws Error if the agent never stopped
 */
export async function atStep<T>(
  host: Host,
  component: string,
  operation: () => Promise<T>,
  act: (stop: Stop) => Promise<void> | void,
): Promise<T> {
  let [over, met] = [false, false];
  const watch = async (): Promise<void> => {
    while (!over) {
      const directory = stopped(host, component);
      if (directory !== undefined) {
        const release = () => writeFileSync(join(directory, "go"), "");
        if (met) release();
        else await act({ pid: Number(read(join(directory, "pid"))), release });
        met = true;
      }
      await pause(50);
    }
  };
  const watching = watch();
  try {
    return await operation();
  } finally {
    over = true;
    await watching;
    if (!met) throw new Error(`the agent on ${host.name} never stopped at the step`);
  }
}

/** The run that waits for its `go`. */
function stopped(host: Host, component: string): string | undefined {
  const runs = join(host.rootDir, "var/lib/gofleet", component, "runs");
  return (existsSync(runs) ? readdirSync(runs) : [])
    .map((tx) => join(runs, tx))
    .find((directory) => {
      const lines = read(join(directory, "log")).trim().split("\n");
      return lines.at(-1)?.includes('"ev":"paused"') && !existsSync(join(directory, "go"));
    });
}

/** Ends every connection of this machine to the host, as a cable that is pulled and put back. */
export async function cutConnections(host: Host): Promise<void> {
  const { stdout } = await run("ss", ["-Htnp", "dst", host.address]);
  const pids = new Set([...stdout.matchAll(/"ssh",pid=(\d+)/g)].map(([, pid = ""]) => pid));
  // One may take another with it.
  await run("kill", ["-9", ...pids]);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not there yet, or gone again
  }
}
