import { strict as assert } from "node:assert";
import { CustomResource, secret, type Output } from "@pulumi/pulumi";
import { hostPool, ssh } from "../../src/index";
import { withStack, type TestStack } from "../support/engine";
import { FakeHosts, pool, toolchain } from "./pool-program";

const COMPONENT = "gofleet-test-go";

/** A provider whose outputs are not known before its resource is made or changed: a machine of some cloud. */
const CLOUD = `exports.handler=()=>({
  async diff(id, olds, news) { return { changes: JSON.stringify(olds.given) !== JSON.stringify(news.given) }; },
  async create({ given }) { return { id: "machine", outs: { given, ...given } }; },
  async update(id, olds, { given }) { return { outs: { given, ...given } }; },
  async delete() {},
})`;

class Machine extends CustomResource {
  declare readonly address: Output<string>;
  declare readonly flags: Output<string>;
  constructor(name: string, given: { readonly address?: string; readonly flags?: string }) {
    super("pulumi-nodejs:test:Machine", name, { __provider: CLOUD, given, address: undefined, flags: undefined });
  }
}

describe("values that are not known before the up", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const start = (program: Parameters<typeof withStack>[0], body: (stack: TestStack) => Promise<void>) =>
    withStack(program, { env: hosts.env }, body);
  const addressed = (address: string) => async () => {
    const machine = new Machine("machine", { address });
    const target = hostPool({
      hosts: { "rack-1": ssh({ host: "10.0.0.1" }), cloud: ssh({ host: machine.address, user: "root" }) },
    });
    await toolchain({ target, env: { GOFLAGS: "-trimpath" } })();
  };
  const flagged = (flags: string, more = {}) => {
    return async () => {
      const machine = new Machine("machine", { flags });
      return toolchain({ target: pool(1), env: { GOFLAGS: machine.flags, GOVCS: "*:off" }, ...more })();
    };
  };
  const nothingOn = (address: string) => assert.equal(hosts.releases([address], COMPONENT)[0], "");

  it("shows every text and the other hosts' lines while one address is unknown", () =>
    start(addressed("10.0.0.9"), async (stack) => {
      const text = await stack.previewText();
      assert.match(text, /GOFLAGS=-trimpath/);
      assert.match(text, /rack-1: "ssh 10\.0\.0\.1"/);
      assert.match(text, /cloud *: \[unknown\]/);

      await stack.up();
      assert.equal(new Set(hosts.releases(["10.0.0.1", "10.0.0.9"], COMPONENT)).size, 1);
      assert.deepEqual((await stack.up()).changes, {});
    }));

  it("keeps the same machine when its address becomes another one in the run", () =>
    start(addressed("10.0.0.9"), async (stack) => {
      await stack.up();
      const { machine, components } = hosts.read("10.0.0.9");
      hosts.change("10.0.0.10", (host) => Object.assign(host, { machine, components }));
      stack.program = addressed("10.0.0.10");
      const { changes } = await stack.up();
      assert.deepEqual(changes, { "go-release": "update", machine: "update" });
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  it("checks an address when it is known", () =>
    start(addressed("two words"), async (stack) => {
      await stack.preview();
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /target\.hosts\.cloud\.host: given "two words", wanted a host name/);
      nothingOn("10.0.0.1");
    }));

  it("does not show what is wrong with a secret", () =>
    start(
      async () => {
        const machine = new Machine("machine", { address: "10.0.0.9" });
        const host = secret(machine.address.apply(() => "hidden words of it"));
        await toolchain({ target: ssh({ host }) })();
      },
      async (stack) => {
        const failed = await stack.up({ expect: "failure" });
        assert.match(failed.errors.join("\n"), /target\.host: given a secret \(not shown\), wanted a host name/);
        assert.deepEqual(await stack.leaksOf("hidden words of it"), []);
      },
    ));

  it("finds two hosts of one address when both are known", () =>
    start(addressed("10.0.0.1"), async (stack) => {
      await stack.preview();
      const failed = await stack.up({ expect: "failure" });
      assert.match(
        failed.errors.join("\n"),
        /given "10\.0\.0\.1:22", wanted a host of its own; "cloud" is the same one/,
      );
      nothingOn("10.0.0.1");
    }));

  it("shows the files that are known as text while a setting is unknown", () =>
    start(flagged("-trimpath"), async (stack) => {
      const text = await stack.previewText();
      assert.match(text, /_gofleet_dir=.*goroot\/bin/, "the login shells' script does not depend on it");
      assert.match(text, /go\.env *: \[unknown\]/);

      await stack.up();
      const files = (await stack.resource("go-release"))?.inputs?.["files"] as Record<string, string>;
      assert.match(files[`/etc/gofleet/${COMPONENT}/go.env`] ?? "", /^GOFLAGS=-trimpath$/m);
      assert.deepEqual((await stack.up()).changes, {});

      stack.program = flagged("-mod=readonly");
      assert.deepEqual((await stack.preview()).changes, { go: "update", "go-release": "update", machine: "update" });
      await stack.up();
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  it("checks a setting when it is known: path, given, wanted", () =>
    start(flagged(" -trimpath"), async (stack) => {
      await stack.preview();
      const failed = await stack.up({ expect: "failure" });
      assert.match(
        failed.errors.join("\n"),
        /env\.GOFLAGS: given a value .*not shown.*, wanted no white space at either/,
      );
      nothingOn("10.0.0.1");
      stack.program = flagged("-trimpath");
      await stack.up();
    }));
});
