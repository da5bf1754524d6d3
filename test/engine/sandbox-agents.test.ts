import { strict as assert } from "node:assert";
import { output, secret } from "@pulumi/pulumi";
import { BuildAgentSandbox, type BuildAgentSandboxArgs } from "../../src/index";
import { GITHUB_AGENT, PLANTED_TOKEN } from "../support/agents";
import { withStack, type TestStack } from "../support/engine";
import { FakeHosts, pool } from "./pool-program";

describe("a build sandbox with a forge's agents in a program", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const start = (token: unknown, allow: string, body: (stack: TestStack) => Promise<void>) => {
    const args = {
      target: pool(1),
      toolchain: { directory: "fleet-go" },
      agent: { ...GITHUB_AGENT, credential: { token } },
      cache: { size: "24 GiB" },
      limits: { memory: "48 GiB", cpus: 12 },
      network: { allow: [allow] },
    } as unknown as BuildAgentSandboxArgs;
    const program = async () => {
      new BuildAgentSandbox("ci", args);
    };
    return withStack(program, { env: hosts.env }, body);
  };

  it("shows a credential in no preview", () =>
    start(secret(PLANTED_TOKEN), "github.com", async (stack) => {
      assert.doesNotMatch(await stack.previewText(), /planted/);
    }));

  it("refuses a credential that turns out to be none, and shows nothing of it", () =>
    start(output(`${PLANTED_TOKEN}\nplanted`), "github.com", async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.match(errors.join("\n"), /agent\.credential\.token: .*one line of text/);
      assert.doesNotMatch(errors.join("\n"), /planted/);
    }));

  it("refuses a network in which agents could not reach their forge", () =>
    start("x", "git.corp.example", async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.match(errors.join("\n"), /network\.allow: .*host: "github\.com"/);
    }));
});
