import assert from "node:assert/strict";
import { hosts, type Host } from "../hosts/support/hosts";
import { property, ServiceLab } from "./support/service-lab";
import { changesUnderLoad, PORT, together, type LoadReport } from "./support/under-load";

const REQUESTS = 50_000;

describe("a release change under load", function () {
  let lab: ServiceLab;
  const pool: Host[] = [];

  before(async function () {
    lab = await ServiceLab.start(this);
    for (const name of ["loaded-1", "loaded-2", "loaded-3"]) pool.push(await hosts.boot(name));
  });

  after(async () => {
    await lab?.stop();
  });

  it(`loses none of ${REQUESTS} requests to a pool that takes it host by host, where systemd holds the sockets`, async () => {
    const reports = await changesUnderLoad(lab, pool, { sockets: { http: { listen: `:${PORT}` } } }, REQUESTS);
    const all = together(reports);
    say("socket, three hosts", all);
    assert.ok(all.requests >= REQUESTS, `${all.requests} requests`);
    for (const { answers } of reports) assert.deepEqual(Object.keys(answers).sort(), ["v1", "v2"]);
    assert.deepEqual(all.errors, {});
    assert.equal(all.lost, 0);
  });

  it("loses those that come while a service without one is restarted, as this measures", async () => {
    const report = together(await changesUnderLoad(lab, pool.slice(0, 1), { update: "restart" }, 1000));
    say("restart", report);
    assert.ok(report.lost > 0, "nothing was lost: the load did not meet the restart, so the test above shows nothing");
    assert.deepEqual(Object.keys(report.answers).sort(), ["v1", "v2"]);
  });

  it("leaves no socket behind", async () => {
    for (const host of pool) {
      assert.equal((await host.exec(`ss -Hltn sport = :${PORT}`)).trim(), "");
      assert.equal(await property(host, "LoadState"), "not-found");
    }
  });
});

/** For the figures in docs/go-service-unit.md. */
function say(how: string, { requests, lost, longestMs }: LoadReport): void {
  console.log(`      ${how}: ${lost} of ${requests} requests lost in two changes; longest answer ${longestMs} ms`);
}
