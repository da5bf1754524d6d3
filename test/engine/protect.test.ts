import { strict as assert } from "node:assert";
import { GoServiceUnit, GoToolchainHost, lock } from "gofleet";
import { withStack, type TestStack } from "../support/engine";
import { addresses, FakeHosts, LOCK, pool } from "./pool-program";

const COMPONENTS = ["gofleet-test-go", "gofleet-test-cache"];
const hostsOf = addresses(2);

/** A pool with a toolchain and a service. */
const program =
  (protect: boolean, { reasons = false, components = COMPONENTS } = {}) =>
  async () => {
    const target = pool(2, { audit: { reasons } });
    const opts = { protect };
    if (components.includes("gofleet-test-go")) {
      const source = { kind: "module", proxy: "http://127.0.0.1:9" } as const;
      new GoToolchainHost("go", { target, go: lock("1.26.8", LOCK), source }, opts);
    }
    if (components.includes("gofleet-test-cache")) {
      const release = {
        url: "https://dl.corp.example/cache-1.8.2",
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      };
      new GoServiceUnit("cache", { target, release, exec: ["cache"] }, opts);
    }
  };

describe("what would destroy something", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const there = (): string[][] => COMPONENTS.map((component) => hosts.releases(hostsOf, component).filter(Boolean));
  const everywhere = (): void =>
    assert.deepEqual(
      there().map(({ length }) => length),
      [2, 2],
    );

  it("is refused while the component is protected: a destroy, and a program without it", () =>
    withStack(program(true), { env: hosts.env }, async (stack) => {
      await stack.up();
      const destroyed = await stack.destroy({ expect: "failure" });
      assert.match(destroyed.errors.join("\n") + destroyed.stderr, /protected/);
      stack.program = program(true, { components: ["gofleet-test-go"] });
      const gone = await stack.up({ expect: "failure" });
      assert.match(gone.errors.join("\n") + gone.stderr, /cache.*protected|protected.*cache/s);
      everywhere();
      stack.program = program(false);
      await stack.up();
      await stack.destroy();
      assert.deepEqual(there(), [[], []]);
    }));

  it("is refused without a reason, where the target wants one, and goes through with it", () =>
    withStack(program(false, { reasons: true }), { env: hosts.env }, async (stack) => {
      await stack.up();
      const refused = await stack.destroy({ expect: "failure" });
      assert.match(
        refused.errors.join("\n"),
        /is not taken off rack-1, rack-2 without a reason, .*nothing was changed\s+→ GOFLEET_REASON="why"/,
      );
      everywhere();
      because(stack, "the racks are sold");
      await stack.destroy();
      assert.deepEqual(there(), [[], []]);
    }));

  function because(stack: TestStack, reason: string): void {
    const { workspace } = stack.automation;
    workspace.envVars = { ...workspace.envVars, GOFLEET_REASON: reason };
  }
});
