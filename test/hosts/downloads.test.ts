import assert from "node:assert/strict";
import { TestStack } from "../support/engine";
import { hostRelease, release, said, stateReleases, target, toolchain } from "./programs";
import { GoProxy, type Fault } from "./support/goproxy";
import { difference, type Host, hosts, needsHosts } from "./support/hosts";

const COMPONENT = "gofleet-test-go";
const OTHER = "v0.0.1-go1.26.7.linux-amd64.zip";

describe("downloads on a real host", function () {
  let host: Host;
  let proxy: GoProxy;
  let stack: TestStack;

  const program = (version: string, on = host) => toolchain(proxy.url, { target: target(on), go: release(version) });

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("rack-01");
    proxy = await GoProxy.start({ address: await hosts.operatorAddress() });
    stack = await TestStack.create(program("1.26.7"));
    await stack.up();
  });

  afterEach(() => {
    if (proxy) proxy.fault = undefined;
  });

  after(async () => {
    stack?.remove();
    await proxy?.stop();
    await hosts.stopAll();
  });

  const faults: readonly (readonly [string, Fault, RegExp])[] = [
    ["breaks off", { kind: "truncate", bytes: 5_000_000 }, /zip: .*(transfer closed|curl: \(18\))/],
    [
      "ends early as if it were complete",
      { kind: "truncate", bytes: 5_000_000, silently: true },
      /zip: .*(End-of-central|not a zip)/s,
    ],
    ["is another release than it says", { kind: "swap", file: OTHER }, /zip: h1:\S+, wanted: h1:/],
    ["has one bit wrong", { kind: "wrong" }, /zip: .*(bad CRC|invalid compressed data|wanted: h1:)/s],
    ["is not there", { kind: "status", code: 404 }, /zip: .*404/],
  ];
  for (const [what, fault, message] of faults) {
    it(`that ${what}: refused, the old release goes on`, async () => {
      const old = await hostRelease(host, COMPONENT);
      proxy.fault = fault;
      stack.program = program("1.26.8");
      const failed = await stack.up({ expect: "failure" });
      assert.match(said(failed), /refused, nothing changed/);
      assert.match(said(failed), message);
      assert.deepEqual(Object.values(await stateReleases(stack)), [old]);
      assert.equal(await hostRelease(host, COMPONENT), old);
      assert.match(await host.exec("go version"), /go1\.26\.7/);
      assert.equal((await host.run(`ls /usr/local/lib/gofleet/${COMPONENT}`)).stdout, "go1.26.7\n");
    });
  }

  it("go through when nothing is wrong with them", async () => {
    stack.program = program("1.26.8");
    await stack.up();
    assert.match(await host.exec("go version && go vet -h 2>&1 | head -1"), /go1\.26\.8/);
  });

  it("that do not fit on the disk leave nothing; with room the same program goes through", async () => {
    const small = await hosts.boot("rack-02", { disk: "600M" });
    const before = await small.listing();
    await small.exec("fallocate -l 450M /var/tmp/ballast");
    const other = await TestStack.create(program("1.26.7", small));
    try {
      const failed = await other.up({ expect: "failure" });
      assert.match(said(failed), /refused, nothing changed: .*disk full.*→ free space/s);
      assert.equal(await other.resource("go-release"), undefined);
      assert.deepEqual(difference(before, await small.listing()), []);
      await small.exec("rm /var/tmp/ballast");
      await other.up();
      assert.match(await small.exec("go version"), /go1\.26\.7/);

      await small.fillDisk();
      const old = await hostRelease(small, COMPONENT);
      other.program = toolchain(proxy.url, {
        target: target(small),
        go: release("1.26.7"),
        env: { GOFLAGS: "-mod=readonly" },
      });
      assert.match(said(await other.up({ expect: "failure" })), /nothing changed|back on/);
      assert.equal(await hostRelease(small, COMPONENT), old);
      assert.deepEqual(Object.values(await stateReleases(other)), [old]);
      assert.match(await small.exec("go version"), /go1\.26\.7/);
      small.freeDisk();
      await other.up();
      assert.equal((await small.exec("go env GOFLAGS")).trim(), "-mod=readonly");
    } finally {
      other.remove();
      await small.stop();
    }
  });
});
