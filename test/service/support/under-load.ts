import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { GoServiceUnitArgs } from "../../../src/index";
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

/** A service on the host goes from v1 to v2 and back while at least so many requests come in, and goes away. */
export async function changesUnderLoad(
  lab: ServiceLab,
  host: Host,
  how: Partial<GoServiceUnitArgs>,
  least: number,
): Promise<LoadReport> {
  const common: Partial<GoServiceUnitArgs> = {
    listen: undefined,
    env: { SERVED_LISTEN: `:${PORT}` },
    health: { get: `http://127.0.0.1:${PORT}/readyz`, within: "20 s" },
    ...how,
  };
  return withStack(lab.program(host, common), {}, async (stack) => {
    await stack.up();
    const load = startLoad(lab, host, least);
    for (const version of ["v2", "v1"]) {
      stack.program = lab.program(host, { ...common, release: lab.release(version) });
      await stack.up();
    }
    const report = await load.end();
    await stack.destroy();
    return report;
  });
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
