import { strict as assert } from "node:assert";
import { output, secret } from "@pulumi/pulumi";
import { BuildAgentSandbox, type BuildAgentSandboxArgs } from "../../src/index";
import { GITHUB_AGENT, JENKINS_AGENT, PLANTED_TOKEN } from "../support/agents";
import { withStack, type TestStack } from "../support/engine";
import { FakeHosts, pool } from "./pool-program";

/** Kinds of agents with a credential each, and where they are registered. */
const KINDS = {
  github: { host: "github.com", agent: (token: unknown) => ({ ...GITHUB_AGENT, credential: { token } }) },
  jenkins: {
    host: "jenkins.corp.example",
    agent: (token: unknown) => ({ ...JENKINS_AGENT, credential: { user: "builder", token } }),
  },
};

describe("a build sandbox with a forge's agents in a program", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const start = (agent: object, allow: string, body: (stack: TestStack) => Promise<void>) => {
    const args = {
      target: pool(1),
      toolchain: { directory: "fleet-go" },
      agent,
      cache: { size: "24 GiB" },
      limits: { memory: "48 GiB", cpus: 12 },
      network: { allow: [allow], resolver: "10.20.0.53" },
    } as unknown as BuildAgentSandboxArgs;
    const program = async () => {
      new BuildAgentSandbox("ci", args);
    };
    return withStack(program, { env: hosts.env }, body);
  };

  for (const [kind, { host, agent }] of Object.entries(KINDS)) {
    it(`brings a credential for ${kind} to the hosts, and shows it nowhere`, () =>
      start(agent(secret(PLANTED_TOKEN)), host, async (stack) => {
        assert.doesNotMatch(await stack.previewText(), /planted/);
        await stack.up();
        assert.match(JSON.stringify((await stack.resource("ci-release"))?.inputs), /"agent-credential"/);
        assert.deepEqual(await stack.leaksOf(PLANTED_TOKEN), []);
      }));
  }

  it("keeps one that nobody called a secret as well", () =>
    start(KINDS.jenkins.agent(PLANTED_TOKEN), KINDS.jenkins.host, async (stack) => {
      await stack.up();
      assert.deepEqual(await stack.leaksOf(PLANTED_TOKEN), []);
    }));

  it("refuses a credential that turns out to be none, and shows nothing of it", () =>
    start(KINDS.github.agent(output(`${PLANTED_TOKEN}\nplanted`)), "github.com", async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.match(errors.join("\n"), /agent\.credential\.token: .*one line of text/);
      assert.doesNotMatch(errors.join("\n"), /planted/);
    }));

  it("refuses a network in which agents could not reach their forge", () =>
    start(KINDS.github.agent("x"), "git.corp.example", async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.match(errors.join("\n"), /network\.allow: .*host: "github\.com"/);
    }));
});
