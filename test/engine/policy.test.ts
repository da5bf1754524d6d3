import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { GoProxyMirror, GoToolchainHost, lock } from "gofleet";
import { enginePath } from "../../src/engine/find";
import { fleetPolicies } from "../../src/policy";
import { PackProject } from "../policy/pack-project";
import { TestAuthority } from "../support/certificates";
import { testEngine, withStack, type Operation } from "../support/engine";
import { REPOSITORY } from "../support/engine/project";
import { skip } from "../support/skip";
import { addresses, FakeHosts, LOCK, pool, toolchain } from "./pool-program";

const GOPROXY = "https://goproxy.corp.example";
const DIGEST = `@sha256:${"9f86d081884c7d659a2feaa0c55ad015".repeat(2)}`;
const SECRET = "hunter2-in-clear";

/** A resource of another package, as far as the engine and a pack can tell, without that package's provider. */
class Raw extends pulumi.ComponentResource {
  constructor(type: string, name: string, props: pulumi.Inputs) {
    super(type, name, props);
    this.registerOutputs();
  }
}

const deployment = (container: pulumi.Inputs): Raw =>
  new Raw("kubernetes:apps/v1:Deployment", "web", { spec: { template: { spec: { containers: [container] } } } });

/** Rules that some program here has broken, as the engine reported it. */
const broken = new Set<string>();

/** Violations as `level policy resource`, in the order of their names. */
function violations({ events }: Operation): string[] {
  for (const { policyEvent: said } of events) if (said !== undefined) broken.add(said.policyName);
  const found = events.flatMap(({ policyEvent: said }) =>
    said === undefined
      ? []
      : [`${said.enforcementLevel} ${said.policyName} ${said.resourceUrn?.split("::").at(-1) ?? "stack"}`],
  );
  return found.sort();
}

describe("policy pack in the analyzer host", function () {
  const project = new PackProject();
  const hosts = new FakeHosts();
  after(() => {
    project.remove();
    hosts.remove();
  });

  interface Run {
    readonly expect?: "success" | "failure";
    readonly config?: object;
    readonly stack?: string;
    readonly env?: Readonly<Record<string, string>>;
  }

  async function preview(program: PulumiFn, { expect, config, stack, env }: Run = {}): Promise<Operation> {
    const PATH = enginePath(await testEngine(), process.env["PATH"]);
    return withStack(program, { name: stack, env: { ...hosts.env, ...env, PATH } }, (opened) =>
      opened.preview({
        expect,
        policyPacks: [project.pack],
        policyPackConfigs: config === undefined ? undefined : [project.config("config", config)],
      }),
    );
  }

  it("lets a program pass that keeps the rules, values that are not known included", async () => {
    const passed = await preview(async () => {
      const go = await toolchain({ target: pool(3), env: { GOPROXY } })();
      deployment({
        image: `registry.corp.example/build:1.8${DIGEST}`,
        env: [
          { name: "GOPROXY", value: GOPROXY },
          { name: "GOVERSION", value: go.version },
          { name: "CI_TOKEN", value: pulumi.secret(SECRET) },
        ],
      });
    });
    assert.deepEqual(violations(passed), []);
    assert.match(passed.stdout, /gofleet@v1\.0\.0/, "the pack did not run");
    assert.doesNotMatch(passed.stdout + passed.stderr, new RegExp(SECRET));
  });

  it("lets this library's own components pass as they come", async () => {
    const folder = join(project.directory, "authority");
    mkdirSync(folder);
    const authority = new TestAuthority(folder);
    const leaf = authority.leaf("goproxy.corp.example");
    const passed = await preview(async () => {
      const mirror = new GoProxyMirror("goproxy", {
        target: pool(1),
        domain: "goproxy.corp.example",
        tls: {
          certificate: authority.chain(leaf),
          key: pulumi.secret(leaf.key),
          ca: authority.root.certificate,
        },
        storage: { kind: "disk", path: "/srv/athens", max: "200 GiB" },
        privateModules: ["git.corp.example/*"],
        go: lock("1.26.7", LOCK),
        upstream: ["https://modules.corp.example", "direct"],
      });
      const source = { kind: "module", proxy: "http://127.0.0.1:9" } as const;
      new GoToolchainHost("go", { target: pool(3), go: lock("1.26.8", LOCK), source, mirror });
    });
    assert.deepEqual(violations(passed), []);
  });

  it("fails the preview on a mandatory rule, and names rule, resource, path and remedy", async () => {
    const failed = await preview(
      toolchain({ target: pool(3), env: { GOPROXY: `${GOPROXY},direct`, GOSUMDB: "off" } }),
      {
        expect: "failure",
      },
    );
    // Once each, although the component's release carries the same settings in a file.
    assert.deepEqual(violations(failed), ["mandatory checksum-database-on go", "mandatory no-direct-on-fleets go"]);
    assert.match(failed.stdout, /checksum-database-on {2}\(gofleet:index:GoToolchainHost: go\)/);
    assert.match(failed.stdout, /env\.GOSUMDB: given GOSUMDB=off, wanted .*\n\s+Remedy: Leave GOSUMDB out/);
  });

  it("judges raw resources of Kubernetes, AWS and Azure", async () => {
    const failed = await preview(
      async () => {
        deployment({ image: "golang:1.24", args: ["--pprof", ":6060"], securityContext: { privileged: true } });
        new Raw("aws:s3/bucket:Bucket", "modules", { tags: { "gofleet-data": "mirror" } });
        new Raw("aws:ec2/launchTemplate:LaunchTemplate", "builders", {
          userData: Buffer.from("#!/bin/sh\nexport GOINSECURE=*\n").toString("base64"),
        });
        new Raw("aws:ec2/instance:Instance", "runner", {
          userData: "#!/bin/sh\ncurl -sSf https://get.example/x | sh\n",
        });
        new Raw("azure-native:network:SecurityRule", "debug", {
          access: "Allow",
          direction: "Inbound",
          sourceAddressPrefix: "Internet",
          destinationPortRange: "6060",
        });
      },
      { expect: "failure", stack: "prod" },
    );
    assert.deepEqual(violations(failed), [
      "mandatory confined-in-production web",
      "mandatory pinned-downloads runner",
      "mandatory pinned-images web",
      "mandatory pprof-not-public debug",
      "mandatory pprof-not-public web",
      "mandatory protected-mirror-data modules",
      "mandatory secure-module-sources builders",
      "mandatory supported-go web",
    ]);
  });

  it("tells a plain password from a secret one, and prints neither", async () => {
    const failed = await preview(
      async () => {
        deployment({
          image: `x${DIGEST}`,
          env: [
            { name: "PLAIN_PASSWORD", value: SECRET },
            { name: "SECRET_PASSWORD", value: pulumi.secret(SECRET) },
            // Another rule finds something in a secret.
            { name: "GOPROXY", value: pulumi.secret(`https://goproxy.corp.example/${SECRET},direct`) },
          ],
        });
      },
      { expect: "failure" },
    );
    assert.deepEqual(violations(failed), ["mandatory no-direct-on-fleets web", "mandatory no-plain-secrets web"]);
    const said = failed.events.flatMap(({ policyEvent }) => policyEvent?.message ?? []).join("");
    assert.match(said, /containers\[0\]\.env\[0\]\.value: given a value in clear \(not shown\)/);
    assert.match(said, /containers\[0\]\.env\[2\]\.value: given a secret \(not shown\), wanted the mirror alone/);
    assert.doesNotMatch(said, new RegExp(SECRET));
  });

  it("only remarks on an advisory rule", async () => {
    const rollout = { canary: 0, batch: "100 %" } as const;
    const passed = await preview(toolchain({ target: pool(4, { rollout }), env: { GOPROXY } }));
    assert.deepEqual(violations(passed), ["advisory budgets go-release"]);
    assert.match(passed.stdout, /rollout\.batch: given 100 % without a canary/);
  });

  it("takes levels and settings from a config file", async () => {
    const program = toolchain({ target: pool(3), env: { GOPROXY: `${GOPROXY},direct`, GOSUMDB: "off" } });
    const passed = await preview(program, {
      config: { "checksum-database-on": "advisory", "no-direct-on-fleets": { from: 4 }, budgets: { hosts: 2 } },
    });
    assert.deepEqual(violations(passed), ["advisory budgets go-release", "advisory checksum-database-on go"]);
  });

  it("refuses a setting that a rule does not have in that form", async () => {
    const failed = await preview(async () => {}, {
      expect: "failure",
      config: { "no-direct-on-fleets": { from: "four" } },
    });
    assert.match(failed.stdout + failed.stderr, /no-direct-on-fleets[\s\S]*from/);
  });

  it("asks for an incident where it is told to", async () => {
    const config = { "change-cites-incident": { required: true } };
    const failed = await preview(async () => {}, { expect: "failure", config });
    assert.deepEqual(violations(failed), ["mandatory change-cites-incident gofleet-test-test"]);
    assert.match(failed.stdout, /stack: missing, wanted an incident/);
    const passed = await preview(async () => {}, { config, env: { GOFLEET_INCIDENT: "INC-123" } });
    assert.deepEqual(violations(passed), []);
  });

  it("has seen every rule broken above, and every rule kept by a program that passes", async () => {
    const passed = await preview(toolchain({ target: pool(3), env: { GOPROXY } }));
    assert.deepEqual(violations(passed), []);
    const names = fleetPolicies().map(({ name }) => name);
    assert.deepEqual([...broken].sort(), [...names].sort());
  });

  describe("with the stock language host", () => {
    let cwd = "";
    let env: NodeJS.ProcessEnv = {};

    before(async function () {
      const path = (process.env["PATH"] ?? "").split(delimiter);
      if (!path.some((dir) => existsSync(join(dir, "pulumi-language-nodejs")))) {
        skip(this, "pulumi-language-nodejs is not on PATH");
      }
      cwd = join(project.directory, "program");
      for (const dir of ["node_modules", "state", "home"]) mkdirSync(join(cwd, dir), { recursive: true });
      symlinkSync(REPOSITORY, join(cwd, "node_modules/gofleet"));
      symlinkSync(join(REPOSITORY, "node_modules/@pulumi"), join(cwd, "node_modules/@pulumi"));
      const runtime = "runtime:\n  name: nodejs\n  options: { typescript: false }\nmain: index.js\n";
      writeFileSync(
        join(cwd, "Pulumi.yaml"),
        `name: plain\n${runtime}backend: { url: "file://${join(cwd, "state")}" }\n`,
      );
      env = {
        ...process.env,
        ...hosts.env,
        PATH: enginePath(await testEngine(), process.env["PATH"]),
        PULUMI_HOME: join(cwd, "home"),
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      };
      assert.equal(plain("stack", "init", "dev").status, 0);
    });

    const plain = (...args: string[]) =>
      spawnSync("pulumi", [...args, "--non-interactive"], { cwd, env, encoding: "utf8" });

    const write = (env: object): void =>
      writeFileSync(
        join(cwd, "index.js"),
        `const { GoToolchainHost, hostPool, lock, ssh } = require("gofleet");
const hosts = Object.fromEntries(${JSON.stringify(addresses(2))}.map((host, i) => ["rack-" + i, ssh({ host, user: "root" })]));
const source = { kind: "module", proxy: "http://127.0.0.1:9" };
const env = ${JSON.stringify(env)};
new GoToolchainHost("go", { target: hostPool({ hosts }), go: lock("1.26.8", ${JSON.stringify(LOCK)}), source, env });
`,
      );

    it("passes and fails the same programs", () => {
      write({ GOPROXY });
      const passed = plain("preview", "--policy-pack", project.pack);
      assert.equal(passed.status, 0, passed.stdout + passed.stderr);
      write({ GOPROXY, GOSUMDB: "off" });
      const failed = plain("preview", "--policy-pack", project.pack);
      assert.notEqual(failed.status, 0, failed.stdout);
      assert.match(failed.stdout, /\[mandatory\].*checksum-database-on {2}\(gofleet:index:GoToolchainHost: go\)/);
    });
  });
});
