import assert from "node:assert/strict";
import { onHost, runOn } from "../agent/on-host";
import { file, plan, release, type Answer, type Release } from "../agent/support";
import { type Host, hosts, needsHosts } from "./support/hosts";

const OURS = "ours.service";

/** A daemon that listens on a port. */
const daemon = (address: string, port: number): string =>
  `[Service]\nExecStart=/usr/bin/python3 -m http.server --bind ${address} ${port}\n`;

describe("ports on a real host", function () {
  let host: Host;

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("ports");
  });
  afterEach(async () => {
    await onHost(host, "remove");
    await host.run("systemctl stop theirs.service theirs.socket");
  });
  after(() => hosts.stopAll());

  const wants = (port: number, address = "127.0.0.1", unit = OURS): Release =>
    release(
      plan({
        files: [file(`/etc/systemd/system/${unit}`, daemon(address, port))],
        units: [{ name: unit, onChange: "restart", reads: [`/etc/systemd/system/${unit}`] }],
        listens: [{ address, port, unit }],
        probes: [{ name: "up", timeout: 5, script: "sleep 0.5\n" }],
      }),
    );
  const theirs = async (address: string, port: number): Promise<void> => {
    await host.exec(`systemd-run --unit=theirs python3 -m http.server --bind ${address} ${port}`);
    await host.exec(`until ss -Hltn | grep -q ':${port} '; do sleep 0.1; done`);
  };
  const refused = (answer: Answer): string => {
    assert.deepEqual([answer.code, answer.result["current"]], [14, ""], JSON.stringify(answer));
    return String(answer.result["msg"]);
  };

  it("that are free are taken, kept, and handed from one unit of the component to another", async () => {
    assert.equal((await runOn(host, wants(8080))).code, 0);
    assert.equal((await runOn(host, wants(8080))).result["status"], "same");
    await host.exec(`systemctl kill ${OURS}`);
    assert.equal((await runOn(host, wants(8080))).code, 0);
    const other = await runOn(host, wants(8080, "127.0.0.1", "other.service"));
    assert.equal(other.code, 0, JSON.stringify(other));
  });

  const overlaps: readonly (readonly [string, string])[] = [
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["127.0.0.1", "0.0.0.0"],
    ["::", "127.0.0.1"],
    ["::1", "::1"],
  ];
  for (const [held, wanted] of overlaps) {
    it(`that another process holds at ${held}: ${wanted} is refused, with its name and unit`, async () => {
      await theirs(held, 8081);
      assert.match(
        refused(await runOn(host, wants(8081, wanted))),
        /^port \S+:8081, for ours\.service of go, is held at \S+:8081 by python3 \(pid \d+\) of theirs\.service; stop it \(systemctl disable --now theirs\.service\), or choose/,
      );
      assert.equal((await runOn(host, wants(8082, wanted))).code, 0, "another port is free");
    });
  }

  it("at another address are no matter", async () => {
    await theirs("127.0.0.2", 8083);
    assert.equal((await runOn(host, wants(8083))).code, 0);
  });

  it("that systemd holds for a socket unit: the unit is named", async () => {
    await host.exec(
      "printf '[Socket]\\nListenStream=127.0.0.1:8084\\n' >/run/systemd/system/theirs.socket; " +
        "printf '[Service]\\nExecStart=true\\n' >/run/systemd/system/theirs.service; " +
        "systemctl daemon-reload; systemctl start theirs.socket",
    );
    assert.match(refused(await runOn(host, wants(8084))), /by systemd \(pid 1\) of theirs\.socket;/);
  });

  it("are not checked without ss, and that is said", async () => {
    await host.exec("mv $(command -v ss) /usr/bin/hidden");
    const answer = await runOn(host, wants(8085));
    await host.exec("mv /usr/bin/hidden /usr/bin/ss");
    assert.equal(answer.code, 0);
    assert.match(String(answer.events.find(({ ev }) => ev === "unchecked")?.["msg"]), /no ss \(install iproute2\)/);
  });
});
