import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { hostPool, type GoServiceUnitArgs } from "../../../src/index";
import { target } from "../../hosts/programs";
import type { Host } from "../../hosts/support/hosts";
import { withStack } from "../../support/engine";
import type { ServiceLab } from "./service-lab";

/** Where the service is asked. */
export const PORT = 7080;

/** What the load saw, see service/load. */
export interface LoadReport {
  readonly requests: number;
  readonly lost: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly longestMs: number;
}

/**
 * A service on hosts, one after the other, goes from v1 to v2 and back while at least so many requests come in, as many to
 * each; and goes away. What the load on each host saw.
 */
export async function changesUnderLoad(
  lab: ServiceLab,
  hosts: readonly Host[],
  how: Partial<GoServiceUnitArgs>,
  least: number,
): Promise<LoadReport[]> {
  const common: Partial<GoServiceUnitArgs> = {
    listen: undefined,
    env: { SERVED_LISTEN: `:${PORT}` },
    health: { get: `http://127.0.0.1:${PORT}/readyz`, within: "20 s" },
    ...how,
  };
  const pool = hostPool({
    hosts: Object.fromEntries(hosts.map((host) => [host.name, target(host)])),
    rollout: { canary: Math.min(1, hosts.length - 1), batch: 1 },
  });
  const program = (more: Partial<GoServiceUnitArgs> = {}) => lab.program(pool, { ...common, ...more });
  return withStack(program(), {}, async (stack) => {
    await stack.up();
    const loads = hosts.map((host) => startLoad(lab, host, Math.ceil(least / hosts.length)));
    for (const version of ["v2", "v1"]) {
      stack.program = program({ release: lab.release(version) });
      await stack.up();
    }
    const reports = await Promise.all(loads.map((load) => load.end()));
    await stack.destroy();
    return reports;
  });
}

/** What the loads on all hosts saw. */
export function together(reports: readonly LoadReport[]): LoadReport {
  return reports.reduce((one, other) => ({
    requests: one.requests + other.requests,
    lost: one.lost + other.lost,
    answers: added(one.answers, other.answers),
    errors: added(one.errors, other.errors),
    longestMs: Math.max(one.longestMs, other.longestMs),
  }));
}

type Counts = Readonly<Record<string, number>>;

function added(one: Counts, other: Counts): Counts {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(keys.map((key) => [key, (one[key] ?? 0) + (other[key] ?? 0)]));
}

function startLoad(lab: ServiceLab, { address }: Host, least: number) {
  const url = `http://${address}:${PORT}/version`;
  const child = spawn(lab.load(), ["-url", url, "-workers", "8", "-least", String(least)]);
  const printed = text(child.stdout);
  return {
    end: async (): Promise<LoadReport> => {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
      return JSON.parse(await printed) as LoadReport;
    },
  };
}
