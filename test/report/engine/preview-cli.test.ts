import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeHosts } from "../../engine/pool-program";
import { PackProject } from "../../policy/pack-project";
import { withStack } from "../../support/engine";
import { gofleet } from "../support/cli";
import { served } from "../support/inline-program";
import { racks, toolchains } from "../support/programs";

describe("gofleet preview with the engine", function () {
  it("previews a stack, saves the plan, and leaves no record of events", async () => {
    const hosts = new FakeHosts();
    const scratch = mkdtempSync(join(tmpdir(), "gofleet-preview-cli-"));
    const before = toolchains({ go: { target: racks(2), version: "1.26.7" } });
    const after = toolchains({ go: { target: racks(2), version: "1.26.8" } });
    try {
      await withStack(before, { env: hosts.env }, async (stack) => {
        await stack.up();
        const { envVars, pulumiHome } = stack.automation.workspace;
        const env = { ...process.env, ...envVars, PULUMI_HOME: pulumiHome, TMPDIR: scratch };
        const plan = join(stack.workDir, "plan.json");
        const run = (...args: string[]) =>
          served(after, (client) => gofleet(stack.workDir, ["preview", "--stack", "test", ...args, "--", client], env));
        const { code, out, err } = await run("--save-plan", plan);
        assert.equal(code, 0, err);
        assert.match(out, /\*\*Go `1\.26\.7` → `1\.26\.8` on 2 hosts\*\*/);
        assert.match(readFileSync(plan, "utf8"), /"resourcePlans"/);
        const left = readdirSync(scratch).filter((name) => name.startsWith("gofleet-preview-"));
        assert.deepEqual(left, []);
        const stopped = await run("--max-hosts", "1");
        assert.equal(stopped.code, 4, stopped.err);
        assert.match(stopped.err, /hosts visited: 2, at most 1 allowed/);
      });
    } finally {
      hosts.remove();
      rmSync(scratch, { recursive: true, force: true });
    }
  });

  it("saves a plan by which exactly what was reviewed runs, and nothing else", async () => {
    const hosts = new FakeHosts();
    const of = (version: "1.26.7" | "1.26.8", env?: Record<string, string>) =>
      toolchains({ go: { target: racks(2), version, ...(env && { env }) } });
    try {
      await withStack(of("1.26.7"), { env: { ...hosts.env, PULUMI_EXPERIMENTAL: "true" } }, async (stack) => {
        await stack.up();
        const { envVars, pulumiHome } = stack.automation.workspace;
        const env = { ...process.env, ...envVars, PULUMI_HOME: pulumiHome };
        const plan = join(stack.workDir, "plan.json");
        const reviewed = await served(of("1.26.8"), (client) =>
          gofleet(stack.workDir, ["preview", "--stack", "test", "--save-plan", plan, "--", client], env),
        );
        assert.equal(reviewed.code, 0, reviewed.err);
        stack.program = of("1.26.8", { GOFLAGS: "-mod=readonly" });
        const other = await stack.up({ expect: "failure", plan });
        assert.match(other.stdout + other.stderr, /violates plan/);
        stack.program = of("1.26.8");
        await stack.up({ plan });
        assert.match(JSON.stringify((await stack.resource("go-release"))?.inputs), /go1\.26\.8/);
      });
    } finally {
      hosts.remove();
    }
  });

  it("reports what a policy pack says, given after --", async () => {
    const pack = new PackProject();
    const hosts = new FakeHosts();
    const broken = toolchains({
      go: { target: racks(2), version: "1.26.8", env: { GOPROXY: "https://goproxy.corp.example", GOSUMDB: "off" } },
    });
    try {
      await withStack(broken, { env: hosts.env }, async (stack) => {
        const { envVars, pulumiHome } = stack.automation.workspace;
        const env = { ...process.env, ...envVars, PULUMI_HOME: pulumiHome };
        const { code, out, err } = await served(broken, (client) =>
          gofleet(stack.workDir, ["preview", "--stack", "test", "--", client, "--policy-pack", pack.pack], env),
        );
        assert.equal(code, 4, err);
        assert.match(out, /1 policy violated/);
        assert.match(out, /🔴 \*\*`checksum-database-on`\*\* \(mandatory, critical\) on `go`/);
        assert.match(err, /stopped: policy checksum-database-on is violated by go/);
      });
    } finally {
      hosts.remove();
      pack.remove();
    }
  });

  it("says what the engine said where there is no such stack", async () => {
    await withStack(
      async () => undefined,
      {},
      async (stack) => {
        const { envVars, pulumiHome } = stack.automation.workspace;
        const env = { ...process.env, ...envVars, PULUMI_HOME: pulumiHome };
        const { code, err } = await gofleet(stack.workDir, ["preview", "--stack", "nowhere"], env);
        assert.equal(code, 1);
        assert.match(err, /pulumi preview of nowhere ended with code .*no stack named 'nowhere' found/s);
      },
    );
  });
});
