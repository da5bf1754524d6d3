import { strict as assert } from "node:assert";
import { hostPool, lock, ssh } from "gofleet";
import { withStack, type StackSettings, type TestStack } from "../support/engine";
import { addresses, FakeHosts, LOCK, pool, toolchain } from "./pool-program";

const COMPONENT = "gofleet-test-go";
const eight = addresses(8);
/** A change of one file: another value in the go command's settings. */
const changed = { env: { GOFLAGS: "-mod=readonly" } };

describe("a pool through the real engine", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const start = (
    program: Parameters<typeof withStack>[0],
    body: (stack: TestStack) => Promise<void>,
    settings: StackSettings = {},
  ) => withStack(program, { env: hosts.env, ...settings }, body);

  const actual = async (stack: TestStack): Promise<Record<string, string>> => {
    const outputs = (await stack.resource("go-release"))?.outputs as { actual: Record<string, string> };
    return Object.fromEntries(Object.entries(outputs.actual).map(([host, line]) => [host, line.split(" ")[0] ?? ""]));
  };

  it("is one resource, and a change of one file is one line diff however many hosts take it", () =>
    start(toolchain({ target: pool(8) }), async (stack) => {
      const up = await stack.up();
      assert.deepEqual(up.changes, { go: "create", "go-release": "create" });
      assert.equal(new Set(hosts.releases(eight, COMPONENT)).size, 1);
      assert.deepEqual((await stack.up()).changes, {});

      stack.program = toolchain({ target: pool(8), ...changed });
      const text = await stack.previewText();
      assert.equal(text.split("GOFLAGS=-mod=readonly").length - 1, 1, text);
      assert.match(text, /\+ *GOFLAGS=-mod=readonly/);
      await stack.up();
      assert.equal(new Set(hosts.releases(eight, COMPONENT)).size, 1);
    }));

  it("puts every host back when batch 2 fails, keeps the old state, and goes through once fixed", () =>
    start(toolchain({ target: pool(8) }), async (stack) => {
      await stack.up();
      const [old] = hosts.releases(eight, COMPONENT);
      hosts.fault("10.0.0.5", "probe");
      hosts.fault("10.0.0.1", `check:${old}`); // which going back does not wait for
      hosts.forgetVisits(eight);
      stack.program = toolchain({ target: pool(8, { rollout: { canary: 1, batch: 2 } }), ...changed });
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /rack-5 .*failed, back on/);
      assert.match(failed.errors.join("\n"), /simulated failure/);
      assert.deepEqual(new Set(hosts.releases(eight, COMPONENT)), new Set([old]));
      assert.deepEqual(hosts.read("10.0.0.8").visits, [], "no wave after the failed one was begun");
      assert.equal(hosts.read("10.0.0.1").visits?.length, 2, "the canary went there and back");
      assert.deepEqual(new Set(Object.values(await actual(stack))), new Set([old]));

      assert.match(await stack.previewText(), /GOFLAGS=-mod=readonly/);
      for (const address of ["10.0.0.1", "10.0.0.5"]) hosts.fault(address);
      await stack.up();
      const now = new Set(hosts.releases(eight, COMPONENT));
      assert.equal(now.size, 1);
      assert.ok(!now.has(old ?? ""));
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  it("leaves a host whose check fails as it was, with what the check said", () =>
    start(toolchain({ target: pool(2) }), async (stack) => {
      await stack.up();
      const before = hosts.releases(addresses(2), COMPONENT);
      hosts.fault("10.0.0.1", "check");
      stack.program = toolchain({ target: pool(2), ...changed });
      const errors = (await stack.up({ expect: "failure" })).errors.join("\n");
      assert.match(errors, /rack-1 .*refused, nothing changed: check canary: exit code 1: simulated failure/);
      assert.match(errors, /→ correct what the check names/);
      assert.deepEqual(hosts.releases(addresses(2), COMPONENT), before);
      assert.notDeepEqual((await stack.preview()).changes, {});
    }));

  it("records the release each host really has when some cannot go back", () =>
    start(toolchain({ target: pool(4) }), async (stack) => {
      await stack.up();
      const [old] = hosts.releases(["10.0.0.1"], COMPONENT);
      hosts.fault("10.0.0.1", "stuck");
      hosts.fault("10.0.0.3", "probe");
      stack.program = toolchain({ target: pool(4, { rollout: { canary: 1, batch: 1 } }), ...changed });
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /rack-1: not put back/);
      const [stuck] = hosts.releases(["10.0.0.1"], COMPONENT);
      assert.notEqual(stuck, old);
      assert.deepEqual(await actual(stack), { "rack-1": stuck, "rack-2": old, "rack-3": old, "rack-4": old });

      assert.notDeepEqual((await stack.preview()).changes, {});
      for (const address of ["10.0.0.1", "10.0.0.3"]) hosts.fault(address);
      await stack.up();
      assert.deepEqual(new Set(hosts.releases(addresses(4), COMPONENT)), new Set([stuck]));
    }));

  it("leaves hosts where they stand with `stop`, and says so in the state", () =>
    start(toolchain({ target: pool(3) }), async (stack) => {
      await stack.up();
      const [old] = hosts.releases(["10.0.0.1"], COMPONENT);
      hosts.fault("10.0.0.2", "probe");
      const rollout = { canary: 1, batch: 1, onFailure: "stop" } as const;
      stack.program = toolchain({ target: pool(3, { rollout }), ...changed });
      await stack.up({ expect: "failure" });
      const found = await actual(stack);
      assert.notEqual(found["rack-1"], old);
      assert.deepEqual([found["rack-2"], found["rack-3"]], [old, old]);
      hosts.fault("10.0.0.2");
      await stack.up();
      assert.equal(new Set(Object.values(await actual(stack))).size, 1);
    }));

  it("takes a first release off again where it fails, and creates nothing", () =>
    start(toolchain({ target: pool(3) }), async (stack) => {
      hosts.change("10.0.0.2", (host) => {
        host.machine = "00000000000000000000000000000002";
        host.fault = "probe:any";
      });
      await stack.up({ expect: "failure" });
      assert.deepEqual(hosts.releases(addresses(3), COMPONENT), ["", "", ""]);
      assert.equal(await stack.resource("go-release"), undefined);
      hosts.fault("10.0.0.2");
      await stack.up();
    }));

  describe("unreachable hosts", () => {
    it("fail the update by default, with the host's name, and leave the others as they were", () =>
      start(toolchain({ target: pool(3) }), async (stack) => {
        await stack.up();
        const before = hosts.releases(addresses(3), COMPONENT);
        hosts.fault("10.0.0.3", "unreachable");
        stack.program = toolchain({ target: pool(3), ...changed });
        const failed = await stack.up({ expect: "failure" });
        assert.match(failed.errors.join("\n"), /rack-3 \(10\.0\.0\.3\): the login was refused/);
        assert.deepEqual(hosts.releases(addresses(3), COMPONENT), before);
        await stack.destroy({ expect: "failure" });
        assert.ok(await stack.resource("go-release"), "a destroy that did not reach every host keeps the state");
      }));

    it("are left for the next update with `keep`", () =>
      start(toolchain({ target: pool(3, { unreachable: "keep" }) }), async (stack) => {
        await stack.up();
        hosts.fault("10.0.0.3", "unreachable");
        const program = toolchain({ target: pool(3, { unreachable: "keep" }), ...changed });
        stack.program = program;
        const up = await stack.up();
        assert.match(up.diagnostics.map(({ message }) => message).join("\n"), /rack-3.*left as it is/s);
        const found = await actual(stack);
        assert.notEqual(found["rack-3"], found["rack-1"]);
        hosts.fault("10.0.0.3");
        assert.notDeepEqual((await stack.preview()).changes, {});
        await stack.up();
        assert.equal(new Set(Object.values(await actual(stack))).size, 1);
      }));

    it("are given up at destroy with `gone`", () =>
      start(toolchain({ target: pool(2, { unreachable: "gone" }) }), async (stack) => {
        await stack.up();
        hosts.fault("10.0.0.2", "unreachable");
        await stack.destroy();
        assert.deepEqual(hosts.releases(["10.0.0.1"], COMPONENT), [""]);
      }));
  });

  describe("identity", () => {
    it("updates, and does not replace, when an address changes for the same machine", () =>
      start(toolchain({ target: pool(2) }), async (stack) => {
        await stack.up();
        const { machine, components } = hosts.read("10.0.0.2");
        hosts.change("10.0.0.99", (host) => Object.assign(host, { machine, components }));
        const target = hostPool({
          hosts: {
            "rack-1": ssh({ host: "10.0.0.1", user: "root" }),
            "rack-2": ssh({ host: "10.0.0.99", user: "root" }),
          },
        });
        stack.program = toolchain({ target });
        assert.equal((await stack.up()).changes["go-release"], "update");
        assert.equal(hosts.read("10.0.0.99").visits?.at(-1)?.startsWith("run"), true);
      }));

    it("refuses another machine under a known key, naming both, and installs it where told so", () =>
      start(toolchain({ target: pool(1) }), async (stack) => {
        await stack.up();
        const { machine } = hosts.read("10.0.0.1");
        hosts.change("10.0.0.1", (host) => Object.assign(host, { machine: "f".repeat(32), components: {} }));
        stack.program = toolchain({ target: pool(1), ...changed });
        const failed = await stack.up({ expect: "failure" });
        assert.match(failed.errors.join("\n"), new RegExp(`f{32}.*${machine}`));
        stack.program = toolchain({ target: pool(1, { onNewMachine: "install" }), ...changed });
        await stack.up();
        assert.notEqual(hosts.releases(["10.0.0.1"], COMPONENT)[0], "");
      }));

    it("loses nothing when a pool key is renamed", () =>
      start(toolchain({ target: pool(2) }), async (stack) => {
        await stack.up();
        const hostsByKey = {
          "rack-1": ssh({ host: "10.0.0.1", user: "root" }),
          "rack-b": ssh({ host: "10.0.0.2", user: "root" }),
        };
        stack.program = toolchain({ target: hostPool({ hosts: hostsByKey }) });
        await stack.up();
        assert.notEqual(hosts.releases(["10.0.0.2"], COMPONENT)[0], "");
        assert.ok(!hosts.read("10.0.0.2").visits?.includes("remove"));
      }));

    it("takes the component off a host that left the pool", () =>
      start(toolchain({ target: pool(3) }), async (stack) => {
        await stack.up();
        stack.program = toolchain({ target: pool(2) });
        await stack.up();
        assert.deepEqual(hosts.releases(["10.0.0.3"], COMPONENT), [""]);
        assert.deepEqual(Object.keys(await actual(stack)), ["rack-1", "rack-2"]);
      }));

    it("refuses the directory of another stack, and leaves it to its owner", () =>
      start(toolchain({ target: pool(1) }), async (first) => {
        await first.up();
        const [release] = hosts.releases(["10.0.0.1"], COMPONENT);
        await start(
          toolchain({ target: pool(1), ...changed }),
          async (second) => {
            const failed = await second.up({ expect: "failure" });
            assert.match(failed.errors.join("\n"), /belongs to organization\/gofleet-test\/test/);
            await second.destroy();
          },
          { name: "other" },
        );
        assert.deepEqual(hosts.releases(["10.0.0.1"], COMPONENT), [release]);
      }));

    it("survives a rename without an alias: the new one takes over, the old one's end touches nothing", () =>
      start(toolchain({ target: pool(1), directory: "tools" }, "go"), async (stack) => {
        await stack.up();
        stack.program = toolchain({ target: pool(1), directory: "tools" }, "golang");
        const up = await stack.up();
        assert.equal(up.changes["golang-release"], "create");
        assert.equal(up.changes["go-release"], "delete");
        assert.notEqual(hosts.releases(["10.0.0.1"], "tools")[0], "");
        await stack.destroy();
        assert.equal(hosts.releases(["10.0.0.1"], "tools")[0], "");
      }));
  });

  it("names drift at refresh and preview, and heals it", () =>
    start(toolchain({ target: pool(2) }), async (stack) => {
      await stack.up();
      hosts.change("10.0.0.2", (host) => {
        const component = host.components[COMPONENT];
        assert.ok(component);
        component.drift = { "/etc/profile.d/gofleet.sh": "modified" };
      });
      await stack.refresh();
      const text = await stack.previewText();
      assert.match(text, /rack-2/);
      assert.match(text, /\/etc\/profile\.d\/gofleet\.sh.*modified/);
      await stack.up();
      await stack.refresh();
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  it("creates again what is gone from every host", () =>
    start(toolchain({ target: pool(2) }), async (stack) => {
      await stack.up();
      for (const address of addresses(2)) hosts.change(address, (host) => (host.components = {}));
      await stack.refresh();
      assert.equal((await stack.up()).changes["go-release"], "create");
    }));

  it("refuses two components that claim one path on one place, at preview, naming both", () =>
    start(
      async () => {
        await toolchain({ target: pool(1) }, "one")();
        await toolchain({ target: pool(1) }, "two")();
      },
      async (stack) => {
        const failed = await stack.preview({ expect: "failure" });
        assert.match(failed.errors.join("\n"), /\/usr\/local\/.* is claimed by .*one.* and by .*two/);
      },
    ));

  it("shows the settings that are known as text when an address is not known yet", () =>
    start(toolchain({ target: pool(1), also: [lock("1.26.7", LOCK)] }), async (stack) => {
      const text = await stack.previewText();
      assert.match(text, /GOTOOLCHAIN=local/);
    }));
});
