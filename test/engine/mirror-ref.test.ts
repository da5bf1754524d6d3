import { strict as assert } from "node:assert";
import { output } from "@pulumi/pulumi";
import type { GoProxyMirrorRef } from "../../src/index";
import { withStack, type TestStack } from "../support/engine";
import { FakeHosts, pool, toolchain } from "./pool-program";

const REF: GoProxyMirrorRef = {
  origin: "https://goproxy.corp.example",
  goEnv: {
    GOPROXY: "https://goproxy.corp.example",
    GOPRIVATE: "git.corp.example/*",
    GONOSUMDB: "git.corp.example/*",
    GONOPROXY: "none",
  },
  ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
};
const TRUST = "/usr/local/share/ca-certificates/gofleet-gofleet-test-go.crt";

describe("a toolchain with a mirror", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const start = (program: Parameters<typeof withStack>[0], body: (stack: TestStack) => Promise<void>) =>
    withStack(program, { env: hosts.env }, body);
  const files = async (stack: TestStack): Promise<Record<string, string>> =>
    (await stack.resource("go-release"))?.inputs?.["files"] as Record<string, string>;

  it("writes the mirror's settings before its own, and trusts its certificates", () =>
    start(toolchain({ target: pool(1), mirror: REF, env: { GOFLAGS: "-trimpath" } }), async (stack) => {
      await stack.up();
      const texts = await files(stack);
      assert.deepEqual(texts["/etc/gofleet/gofleet-test-go/go.env"]?.split("\n").slice(1), [
        "GOFLAGS=-trimpath",
        "GONOPROXY=none",
        "GONOSUMDB=git.corp.example/*",
        "GOPRIVATE=git.corp.example/*",
        "GOPROXY=https://goproxy.corp.example",
        "GOTOOLCHAIN=local",
        "",
      ]);
      assert.ok(texts[TRUST]?.endsWith(`\n${REF.ca}`), texts[TRUST]);
      assert.deepEqual((await stack.up()).changes, {});
    }));

  it("leaves out what the mirror does not set", () =>
    start(
      toolchain({ target: pool(1), mirror: output({ ...REF, goEnv: { GOPROXY: REF.origin }, ca: "" }) }),
      async (stack) => {
        await stack.up();
        const texts = await files(stack);
        assert.deepEqual(texts["/etc/gofleet/gofleet-test-go/go.env"]?.split("\n").slice(1), [
          "GOPROXY=https://goproxy.corp.example",
          "GOTOOLCHAIN=local",
          "",
        ]);
        assert.equal(texts[TRUST]?.split("\n").length, 2);
      },
    ));

  it("refuses what is no ref, at preview, saying what to export", () =>
    start(
      toolchain({ target: pool(1), mirror: output({ url: "x" } as unknown as GoProxyMirrorRef) }),
      async (stack) => {
        const failed = await stack.preview({ expect: "failure" });
        assert.match(failed.errors.join("\n"), /not a mirror's ref: export `mirror\.ref`/);
      },
    ));

  it("refuses a setting that the mirror makes", () =>
    start(toolchain({ target: pool(1), mirror: REF, env: { GOPROXY: "off" } }), async (stack) => {
      const failed = await stack.preview({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /env\.GOPROXY: given "off", wanted no such setting: the mirror makes it/);
    }));
});
