import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { GoServiceUnitArgs } from "../../src/index";
import { hosts, unavailable, type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { makeProject } from "../support/engine/project";
import { machineGo } from "../support/go";
import { skip } from "../support/skip";
import { property, ServiceLab } from "./support/service-lab";

const PORT = 7080;
const REQUESTS = 50_000;

/** What the load saw, see support/service/load. */
interface Report {
  readonly requests: number;
  readonly lost: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly longestMs: number;
}

describe("a release change under load", function () {
  let lab: ServiceLab;
  let host: Host;

  before(async function () {
    const reason = unavailable();
    if (reason) skip(this, reason);
    if (!machineGo()) skip(this, "there is no go command");
    lab = await ServiceLab.start();
    host = await hosts.boot("loaded");
  });

  after(async () => {
    await lab?.stop();
    await hosts.stopAll();
  });

  /** From v1 to v2 and back while requests come in, and what was lost. */
  async function changed(how: Partial<GoServiceUnitArgs>, least: number): Promise<Report> {
    const common: Partial<GoServiceUnitArgs> = {
      listen: undefined,
      env: { SERVED_LISTEN: `:${PORT}` },
      health: { get: `http://127.0.0.1:${PORT}/readyz`, within: "20 s" },
      ...how,
    };
    const workDir = makeProject();
    try {
      const stack = await TestStack.open(lab.program(host, common), workDir);
      await stack.up();
      const load = startLoad(host, least);
      for (const version of ["v2", "v1"]) {
        stack.program = lab.program(host, { ...common, release: lab.release(version) });
        await stack.up();
      }
      const report = await load.end();
      await stack.destroy();
      return report;
    } finally {
      rmSync(workDir, { recursive: true, force: true });
    }
  }

  function startLoad({ address }: Host, least: number) {
    const url = `http://${address}:${PORT}/version`;
    const child = spawn(lab.load(), ["-url", url, "-workers", "8", "-least", String(least)]);
    const printed = text(child.stdout);
    return {
      end: async (): Promise<Report> => {
        const ended = once(child, "exit");
        child.stdin.end();
        await ended;
        return JSON.parse(await printed) as Report;
      },
    };
  }

  it(`loses none of ${REQUESTS} requests where systemd holds the socket`, async () => {
    const report = await changed({ sockets: { http: { listen: `:${PORT}` } } }, REQUESTS);
    say("socket", report);
    assert.ok(report.requests >= REQUESTS, `${report.requests} requests`);
    assert.deepEqual(Object.keys(report.answers).sort(), ["v1", "v2"]);
    assert.deepEqual(report.errors, {});
    assert.equal(report.lost, 0);
  });

  it("loses those that come while a service without one is restarted, as this measures", async () => {
    const report = await changed({ update: "restart" }, 1000);
    say("restart", report);
    assert.ok(report.lost > 0, "nothing was lost: the load did not meet the restart, so the test above shows nothing");
    assert.deepEqual(Object.keys(report.answers).sort(), ["v1", "v2"]);
  });

  it("leaves no socket behind", async () => {
    assert.equal((await host.exec(`ss -Hltn sport = :${PORT}`)).trim(), "");
    assert.equal(await property(host, "LoadState"), "not-found");
  });
});

/** For the figures in docs/go-service-unit.md. */
function say(how: string, { requests, lost, longestMs }: Report): void {
  console.log(`      ${how}: ${lost} of ${requests} requests lost in two changes; longest answer ${longestMs} ms`);
}
