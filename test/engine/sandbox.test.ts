import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output } from "@pulumi/pulumi";
import {
  BuildAgentSandbox,
  GoToolchainHost,
  local,
  lock,
  type BuildAgentSandboxArgs,
  type GoProxyMirrorRef,
} from "../../src/index";
import { withStack, type TestStack } from "../support/engine";
import { PLANTED_KEY, SHA256 } from "../support/agents";
import { REPOSITORY } from "../support/engine/project";
import { example } from "../support/example";
import { FakeHosts, LOCK, pool } from "./pool-program";

const resolver = "10.20.0.53";
const MIRROR: GoProxyMirrorRef = {
  origin: "https://goproxy.corp.example:8443",
  goEnv: { GOPROXY: "https://goproxy.corp.example:8443" },
  ca: "",
};

describe("a build sandbox in a program", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  /** Also wrong ones. */
  const args = (more: object) =>
    ({
      target: pool(1),
      agent: { kind: "exec", command: ["/usr/local/bin/runner", "--once"] },
      cache: { size: "24 GiB" },
      limits: { memory: "48 GiB", cpus: 12 },
      ...more,
    }) as unknown as BuildAgentSandboxArgs;
  const program =
    (more: object = {}) =>
    async () => {
      const toolchain = new GoToolchainHost("go", { target: pool(1), go: lock("1.26.7", LOCK) });
      const ci = new BuildAgentSandbox("ci", args({ toolchain, ...more }));
      return { units: ci.units, caches: ci.caches, monitoring: ci.monitoring };
    };
  const start = (program: Parameters<typeof withStack>[0], body: (stack: TestStack) => Promise<void>) =>
    withStack(program, { env: hosts.env }, body);
  const texts = async (stack: TestStack): Promise<Record<string, string>> =>
    (await stack.resource("ci-release"))?.inputs?.["files"] as Record<string, string>;
  const refused = (more: object, says: RegExp) =>
    start(program(more), async (stack) => {
      const { errors } = await stack.preview({ expect: "failure" });
      assert.match(errors.join("\n"), says);
    });

  it("is one release after its toolchain's, the same bytes every time", () =>
    start(program(), async (stack) => {
      const { changes } = await stack.preview();
      assert.deepEqual(changes, { go: "create", "go-release": "create", ci: "create", "ci-release": "create" });
      await stack.up();
      const { units, caches, monitoring } = await stack.outputs();
      assert.deepEqual(units?.value, ["gofleet-gofleet-test-ci@1.service"]);
      assert.deepEqual(caches?.value, ["/var/cache/gofleet-gofleet-test-ci/slots/1/build"]);
      const { scrapeConfig, alertRules, dashboard } = monitoring?.value as Record<string, string>;
      assert.match(scrapeConfig ?? "", /^ +- \S+:9100$/m);
      assert.match(alertRules ?? "", /component="gofleet-test-ci"/);
      assert.match(dashboard ?? "", /"Go build sandbox"/);
      assert.deepEqual((await stack.up()).changes, {});
    }));

  it("shows a changed limit as a line of the slice, in a preview that knows every file", () =>
    start(program(), async (stack) => {
      await stack.up();
      stack.program = program({ limits: { memory: "48 GiB", cpus: 8 } });
      const text = await stack.previewText();
      assert.match(text, /- *CPUQuota=1200%/);
      assert.match(text, /\+ *CPUQuota=800%/);
    }));

  it("lets jobs reach a mirror, by its port, whether it is known at once or later", () =>
    start(
      program({ network: { allow: [MIRROR, { host: output("git.corp.example"), ports: [22] }], resolver } }),
      async (stack) => {
        await stack.up();
        const config = (await texts(stack))["/etc/gofleet/gofleet-test-ci/sandbox.json"] ?? "";
        const { egress } = JSON.parse(config) as { egress: { hosts: unknown } };
        assert.deepEqual(egress.hosts, [
          { name: "git.corp.example", ports: [22], modules: false },
          { name: "goproxy.corp.example", ports: [8443], modules: true },
        ]);
        stack.program = program({
          network: { allow: [output(MIRROR), { host: "git.corp.example", ports: [22] }], resolver: output(resolver) },
        });
        assert.deepEqual((await stack.up()).changes, {});
      },
    ));

  it("takes where modules come from, whether it is known at once or later", () =>
    start(program({ modules: { env: { GOPROXY: output("https://goproxy.corp.example") } } }), async (stack) => {
      await stack.up();
      const config = (await texts(stack))["/etc/gofleet/gofleet-test-ci/sandbox.json"] ?? "";
      const { modules } = JSON.parse(config) as { modules: { environment: unknown } };
      assert.deepEqual(modules.environment, { GOPROXY: "https://goproxy.corp.example" });
      stack.program = program({ modules: { env: { GOPROXY: "https://goproxy.corp.example" } } });
      assert.deepEqual((await stack.up()).changes, {});
    }));

  it("takes a toolchain of another program by its directory", () =>
    start(
      async () => {
        new BuildAgentSandbox("ci", args({ toolchain: { directory: "fleet-go" } }));
      },
      async (stack) => {
        await stack.up();
        const unit = (await texts(stack))["/etc/systemd/system/gofleet-gofleet-test-ci@.service"] ?? "";
        assert.match(unit, /:\/etc\/gofleet\/fleet-go\/goroot\/bin:/);
      },
    ));

  it("is shown in the preview of examples/build-agents, by the settings that its page names and without the App's key", () => {
    const page = readFileSync(join(REPOSITORY, "examples", "build-agents", "README.md"), "utf8");
    const named = [...page.matchAll(/^ {4}pulumi config set (?:--secret |--path )?'?(\w+)/gm)].map(([, name]) => name);
    const key = Buffer.concat([sshString("ssh-ed25519"), sshString(Buffer.alloc(32, 7))]).toString("base64");
    const config = {
      builder: "10.20.0.11",
      builderHostKey: `ssh-ed25519 ${key}`,
      mirror: "https://goproxy.corp.example",
      organization: "corp",
      app: "Iv23abc",
      installation: "1234567",
      appKey: { secret: PLANTED_KEY },
      runnerVersion: "2.336.0",
      runnerSha256: SHA256,
      actionsHosts: JSON.stringify(["results-receiver.actions.githubusercontent.com"]),
      resolver: "10.20.0.53",
    };
    assert.deepEqual(named, Object.keys(config));
    return withStack(example("build-agents"), { env: hosts.env, config }, async (stack) => {
      const { changes } = await stack.preview();
      assert.deepEqual(changes, { go: "create", "go-release": "create", ci: "create", "ci-release": "create" });
      const text = await stack.previewText();
      assert.match(text, /nameserver 10\.20\.0\.53/);
      assert.match(text, /actions-runner-2\.336\.0/);
      assert.doesNotMatch(text, /planted/);
    });
  });

  it("refuses what would be silently wrong, all at once", () =>
    refused(
      {
        toolchain: output({ goRoot: "/x" }),
        slots: 2,
        cache: { kind: "tmpfs", size: "24 GiB" },
        network: { allow: ["https://git.corp.example/"] },
        hardening: { off: ["PrivateUser"] },
        keepCaches: "yes",
        confinment: "off",
      },
      /toolchain: [^]*limits\.memory[^]*network\.allow\[0\][^]*hardening\.off\[0\][^]*confinment[^]*keepCaches/,
    ));

  it("refuses hosts that turn out to be none, at preview", async () => {
    await refused({ network: { allow: [output({ url: "x" })] } }, /not a mirror's ref/);
    await refused({ network: { allow: [{ host: output("https://x/") }] } }, /network\.allow\[0\]\.host: .*a network/);
    await refused(
      { network: { allow: [MIRROR] } },
      /network\.resolver: .*DNS server that knows goproxy\.corp\.example/,
    );
    await refused({ modules: { env: { GOPROXY: output("direct") } } }, /modules\.env\.GOPROXY: .*a proxy first/);
  });

  it("refuses a directory for a host: it has no users and no services", async () => {
    const root = mkdtempSync(join(tmpdir(), "gofleet-root-"));
    try {
      await refused({ target: local({ root }) }, /target: .*a machine/);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

/** Bytes after their length, as SSH's keys are made of. */
function sshString(bytes: string | Buffer): Buffer {
  const data = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}
