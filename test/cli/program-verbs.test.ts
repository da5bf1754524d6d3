import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, disconnectAll } from "../../src/host/connect";
import { HostQueue } from "../../src/host/host-queue";
import { planInputs, type ReleaseInputs } from "../../src/host/release";
import { ReleaseManager } from "../../src/host/release-manager";
import { AT_ONCE } from "../../src/model/rollout";
import { EMPTY_PLAN, type HostPlan } from "../../src/plan/host-plan";
import { removeTree } from "../support/remove-tree";
import { POLICY } from "../support/release-policy";

const REPOSITORY = join(__dirname, "..", "..");
const MOTD = "/etc/motd.d/gofleet";
const SECRET_FILE = "/etc/motd.d/private";
const PLANTED = "hunter2-planted-secret";

const plan: HostPlan = {
  ...EMPTY_PLAN,
  files: [{ path: MOTD, text: "hello\n", mode: "0644", owner: "root", group: "root", place: "link" }],
};

/** A program that declares that plan on a local root, and a text that is a secret. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { HostRelease } = require(${JSON.stringify(join(REPOSITORY, "dist/targets/host-release.js"))});
const { local } = require("gofleet");
class Motd extends pulumi.ComponentResource {}
const plan = ${JSON.stringify(plan)};
if (new pulumi.Config().get("secret")) {
  plan.files.push({ ...plan.files[0], path: "${SECRET_FILE}", text: pulumi.secret("${PLANTED}") });
}
new HostRelease("motd", { component: "motd", plan, target: local({ root: "root" }), policy: { adopt: "refuse", keep: 3 } },
  { parent: new Motd("test:Motd", "motd") });
`;

describe("verbs that run a program", function () {
  let project = "";
  const cwd = process.cwd();

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "gofleet-cli-"));
    mkdirSync(join(project, "node_modules"));
    symlinkSync(REPOSITORY, join(project, "node_modules/gofleet"));
    symlinkSync(join(REPOSITORY, "node_modules/@pulumi"), join(project, "node_modules/@pulumi"));
    writeFileSync(join(project, "Pulumi.yaml"), "name: fleet\nruntime: nodejs\nmain: index.js\n");
    writeFileSync(join(project, "index.js"), PROGRAM);
  });
  afterEach(() => {
    process.chdir(cwd);
    removeTree(project);
  });

  function gofleet(...args: string[]): { code: number | null; out: string; err: string } {
    const main = join(REPOSITORY, "dist/cli/main.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: project, encoding: "utf8" });
    return { code: status, out: stdout, err: stderr };
  }

  async function install(): Promise<void> {
    process.chdir(project);
    const inputs: ReleaseInputs = {
      component: "motd",
      stack: "organization/fleet/dev",
      resourceUrn: "urn:pulumi:dev::fleet::test:Motd::motd",
      files: Object.fromEntries(plan.files.map(({ path, text }) => [path, text])),
      plan: planInputs(plan),
      hosts: { host: "local root" },
      policy: POLICY,
      rollout: AT_ONCE,
    };
    const silent = { status: () => undefined, info: () => undefined, warn: () => undefined };
    const stop = new AbortController().signal;
    await new ReleaseManager({ connect, progress: silent, stop, queue: new HostQueue() }).create(inputs);
    disconnectAll();
  }

  it("render writes files, manifest and hosts, the same bytes each time", () => {
    const first = gofleet("render", "--out", "a");
    assert.equal(first.code, 0, first.err);
    assert.equal(readFileSync(join(project, "a/motd/files", MOTD), "utf8"), "hello\n");
    assert.equal(readFileSync(join(project, "a/motd/hosts"), "utf8"), "host\tlocal root\n");
    gofleet("render", "--out", "b");
    assert.equal(spawnSync("diff", ["-r", "a", "b"], { cwd: project }).status, 0);
  });

  it("render never writes a secret", () => {
    const { code, out, err } = gofleet("render", "--out", "a", "--config", "secret=true");
    assert.equal(code, 0, err);
    assert.equal(readFileSync(join(project, "a/motd/files", SECRET_FILE), "utf8"), "[secret]\n");
    assert.equal(spawnSync("grep", ["-r", PLANTED, "a"], { cwd: project }).status, 1);
    assert.ok(!`${out}${err}`.includes(PLANTED));
  });

  it("adopt names what stands in the way, and changes nothing", () => {
    assert.match(gofleet("adopt").out, /motd on host: nothing in the way/);
    mkdirSync(join(project, "root/etc/motd.d"), { recursive: true });
    writeFileSync(join(project, "root", MOTD), "theirs\n");
    const { code, out, err } = gofleet("adopt");
    assert.equal(code, 0, err);
    assert.match(out, new RegExp(`${MOTD} +file`));
    assert.equal(readFileSync(join(project, "root", MOTD), "utf8"), "theirs\n");
    assert.ok(!existsSync(join(project, "root/etc/gofleet")));
  });

  it("drift is silent on a host as it should be, and shows the line that was changed", async () => {
    await install();
    const clean = gofleet("drift");
    assert.equal(clean.code, 0, clean.out + clean.err);
    assert.match(clean.out, /motd on host: as its release [0-9a-f]{16} put it/);
    writeFileSync(join(project, "root", MOTD), "hello\nby hand \u001b[31m\n");
    const named = gofleet("drift");
    assert.equal(named.code, 3, named.out);
    assert.ok(named.out.includes(MOTD));
    assert.ok(!named.out.includes("by hand"), "text is printed only where asked for");
    const shown = gofleet("drift", "--show");
    assert.match(shown.out, /\+by hand/);
    assert.ok(!shown.out.includes("\u001b"), "a host's text does not steer the terminal");
  });

  it("drift says that a component is not there, and which keys there are", () => {
    assert.match(gofleet("drift").out, /not installed/);
    const { code, err } = gofleet("drift", "rack-9");
    assert.equal(code, 1);
    assert.match(err, /no host "rack-9" in the program; it has host/);
  });

  it("says which configuration is missing, and how to give it, without a stack trace", () => {
    writeFileSync(join(project, "index.js"), 'new (require("@pulumi/pulumi").Config)().require("domain");\n');
    const { code, err } = gofleet("render", "--out", "a");
    assert.equal(code, 1);
    assert.match(err, /^gofleet: Missing required configuration variable 'fleet:domain'/m);
    assert.match(err, /→ here by --config fleet:domain=VALUE$/m);
    assert.doesNotMatch(err, /^ +at /m);
  });

  it("says what will not do in a component's arguments, without a stack trace", () => {
    writeFileSync(
      join(project, "index.js"),
      'const { GoToolchainHost, local } = require("gofleet");\nnew GoToolchainHost("go", { target: local({ root: "r" }) });\n',
    );
    const { code, err } = gofleet("render", "--out", "a");
    assert.equal(code, 1);
    assert.match(err, /^gofleet: GoToolchainHost "go" has an argument that will not do$/m);
    assert.match(err, /^ {2}go: missing, wanted a release/m);
    assert.doesNotMatch(err, /^ +at /m);
  });

  it("says where it looked for a program", () => {
    const { code, err } = gofleet("render", "--out", "a", "--project", "nowhere");
    assert.equal(code, 1);
    assert.match(err, /no Pulumi\.yaml in .*nowhere/);
  });
});
