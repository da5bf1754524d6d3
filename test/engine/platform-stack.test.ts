import { strict as assert } from "node:assert";
import { GoToolchainHost, lock } from "../../src/index";
import { withStack } from "../support/engine";
import { example } from "../support/example";
import { FakeHosts, LOCK, pool, toolchain } from "./pool-program";

const machines = { "rack-01": { host: "10.0.0.1" }, "rack-02": { host: "10.0.0.2", user: "fleet" } };

describe("a toolchain used by reference", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const platform = <T>(body: Parameters<typeof withStack<T>>[2]) =>
    withStack(
      example("platform-stack/toolchains"),
      {
        name: "dev",
        project: "platform-toolchains",
        config: { machines: JSON.stringify(machines) },
        env: hosts.env,
      },
      body,
    );

  it("crosses from one stack to another: examples/platform-stack", () =>
    platform(async (toolchains) => {
      await toolchains.up();
      const config = { platform: "organization/platform-toolchains/dev" };
      const settings = { name: "dev", project: "platform-consumer", workDir: toolchains.workDir, config };
      await withStack(example("platform-stack/consumer"), settings, async (consumer) => {
        await consumer.up();
        const { goVersion, build } = await consumer.outputs();
        assert.equal(goVersion?.value, "go1.26.7");
        assert.equal(build?.value, "/usr/local/bin/go build -trimpath ./...");
        assert.deepEqual((await consumer.up()).changes, { [config.platform]: "read" });
      });
      assert.deepEqual((await toolchains.destroy()).changes, { go: "delete", "go-release": "delete" });
    }));

  it("says what to export where the output is something else", () =>
    platform(async (toolchains) => {
      toolchains.program = async () => ({ go: { version: "go1.26.8" } });
      await toolchains.up();
      const config = { platform: "organization/platform-toolchains/dev" };
      const settings = { name: "dev", project: "platform-consumer", workDir: toolchains.workDir, config };
      await withStack(example("platform-stack/consumer"), settings, async (consumer) => {
        const failed = await consumer.up({ expect: "failure" });
        assert.match(failed.errors.join("\n"), /not a toolchain's ref: export `toolchain\.ref`/);
      });
    }));

  it("is unknown in the preview of the run that makes it, and known to others after the up", () =>
    withStack(
      async () => {
        const first = new GoToolchainHost("first", { target: pool(1), go: lock("1.26.7", LOCK) });
        const ref = GoToolchainHost.from(first.ref);
        const cache = ref.goVersion.apply((version) => `/var/cache/${version}`);
        const env = { GOFLAGS: "-mod=readonly", GOMODCACHE: cache };
        await toolchain({ target: pool(1), links: false, env }, "second")();
        return { version: ref.goVersion };
      },
      { env: hosts.env },
      async (stack) => {
        const { diffs, ops } = await stack.preview();
        assert.deepEqual(ops, {
          first: "create",
          "first-release": "create",
          second: "create",
          "second-release": "create",
        });
        assert.deepEqual(diffs, {});
        const text = await stack.previewText();
        assert.doesNotMatch(text, /go1\.26\.8\/pkg|\/var\/cache\/go/, "nothing is made up for what is not known");

        await stack.up();
        assert.equal((await stack.outputs())["version"]?.value, "go1.26.7");
        const files = (await stack.resource("second-release"))?.inputs?.["files"] as Record<string, string>;
        assert.match(Object.values(files).join(""), /GOMODCACHE=\/var\/cache\/go1\.26\.7/);
        assert.deepEqual((await stack.up()).changes, {});
      },
    ));
});
