import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../test/hosts/support/commands";
import { median, progress } from "../support";

const SCRIPT = join(__dirname, "paths.lua");
/** Seconds that one round of load lasts. */
const DURATION = 3;
/** Of the kernel's clock ticks, in which /proc counts. */
const TICKS_PER_SECOND = 100;

/** A server under load. */
export interface Contender {
  readonly port: number;
  /** Process ids of all that works for an answer. */
  pids(): readonly string[];
}

export interface Loaded {
  readonly requests: number;
  /** Connections refused or broken, answers that did not come and those that were not 2xx. */
  readonly errors: number;
}

/** Asks for these paths over TLS with kept connections, by wrk. */
export async function load(port: number, file: string, connections = 64): Promise<Loaded> {
  const options = ["-t2", `-c${connections}`, `-d${DURATION}s`, "--timeout", "30s", "-s", SCRIPT];
  const said = await must("wrk", [...options, `https://127.0.0.1:${port}`, "--", file]);
  const number = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? 0);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(said)?.slice(1) ?? [];
  const refused = number(/Non-2xx or 3xx responses: (\d+)/);
  return {
    requests: number(/(\d+) requests in/),
    errors: sockets.reduce((sum, each) => sum + Number(each), refused),
  };
}

/**
 * Microseconds of the server's CPU for each request, by contender, a value for each round; contenders take turns within
 * a round. One round before does not count.
 */
export async function cpuPerRequest<Name extends string>(
  rounds: number,
  paths: readonly string[],
  folder: string,
  contenders: Readonly<Record<Name, Contender>>,
): Promise<Record<Name, number[]>> {
  const file = join(folder, "paths");
  writeFileSync(file, `${paths.join("\n")}\n`);
  const names = Object.keys(contenders) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const { port, pids } = contenders[name];
      const before = cpuSeconds(pids());
      const { requests, errors } = await load(port, file);
      if (requests === 0 || errors > 0) throw new Error(`${name}: ${errors} errors, ${requests} answers`);
      if (round === 0) continue;
      costs[name].push(((cpuSeconds(pids()) - before) / requests) * 1e6);
      rates[name].push(requests / DURATION);
    }
  }
  for (const name of names) {
    progress(`  ${name}: ${median(costs[name]).toFixed(1)} µs (${median(rates[name]).toFixed(0)} requests/s)`);
  }
  return costs;
}

/** Seconds of CPU that these processes have used, in user and kernel mode. See proc_pid_stat(5). */
function cpuSeconds(pids: readonly string[]): number {
  return pids.reduce((sum, pid) => {
    // The name, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }, 0);
}

/** The process that was started with this argument. */
export function processWith(argument: string): string {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument)) return pid;
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no process was started with ${argument}`);
}
