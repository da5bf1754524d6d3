import assert from "node:assert/strict";
import { hosts, type Host } from "../hosts/support/hosts";
import { property, ServiceLab } from "./support/service-lab";
import { changesUnderLoad, PORT, type LoadReport } from "./support/under-load";

const REQUESTS = 50_000;

describe("a release change under load", function () {
  let lab: ServiceLab;
  let host: Host;

  before(async function () {
    lab = await ServiceLab.start(this);
    host = await hosts.boot("loaded");
  });

  after(async () => {
    await lab?.stop();
  });

  it(`loses none of ${REQUESTS} requests where systemd holds the socket`, async () => {
    const report = await changesUnderLoad(lab, host, { sockets: { http: { listen: `:${PORT}` } } }, REQUESTS);
    say("socket", report);
    assert.ok(report.requests >= REQUESTS, `${report.requests} requests`);
    assert.deepEqual(Object.keys(report.answers).sort(), ["v1", "v2"]);
    assert.deepEqual(report.errors, {});
    assert.equal(report.lost, 0);
  });

  it("loses those that come while a service without one is restarted, as this measures", async () => {
    const report = await changesUnderLoad(lab, host, { update: "restart" }, 1000);
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
function say(how: string, { requests, lost, longestMs }: LoadReport): void {
  console.log(`      ${how}: ${lost} of ${requests} requests lost in two changes; longest answer ${longestMs} ms`);
}
