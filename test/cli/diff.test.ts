import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rollout } from "../../src/model/rollout";
import { EMPTY_PLAN } from "../../src/plan/host-plan";
import { gofleet } from "../report/support/cli";
import { REPOSITORY } from "../support/engine/project";

const LOCK = join(REPOSITORY, "gofleet.lock.json");
const PLANTED = "hunter2-planted-secret";

/** A program with one release on some hosts. */
const program = (text: string, hosts: readonly string[], rollout: Partial<Rollout> = {}): string => `
const pulumi = require("@pulumi/pulumi");
const { HostRelease } = require(${JSON.stringify(join(REPOSITORY, "dist/targets/host-release.js"))});
const { hostPool, ssh } = require("gofleet");
class Motd extends pulumi.ComponentResource {}
const file = { mode: "0644", owner: "root", group: "root", place: "link" };
const plan = { ...${JSON.stringify(EMPTY_PLAN)}, files: [
  { ...file, path: "/etc/motd", text: ${JSON.stringify(text)} },
  { ...file, path: "/etc/token", text: pulumi.secret("${PLANTED}") },
] };
const hosts = Object.fromEntries(${JSON.stringify(hosts)}.map((host) => [host, ssh({ host, user: "root" })]));
console.log("printed by the program");
new HostRelease("motd", { component: "motd", plan, target: hostPool({ hosts, rollout: ${JSON.stringify(rollout)} }), policy: { adopt: "refuse", keep: 3 } },
  { parent: new Motd("test:Motd", "motd") });
`;

describe("gofleet diff", function () {
  let root = "";
  let project = "";

  before(() => {
    root = mkdtempSync(join(tmpdir(), "gofleet-diff-test-"));
    project = join(root, "infra/fleet");
    mkdirSync(join(project, "node_modules"), { recursive: true });
    symlinkSync(REPOSITORY, join(project, "node_modules/gofleet"));
    symlinkSync(join(REPOSITORY, "node_modules/@pulumi"), join(project, "node_modules/@pulumi"));
    writeFileSync(join(root, ".gitignore"), "node_modules/\n");
    writeFileSync(join(root, "README"), "before the project\n");
    git("init", "--quiet", "--initial-branch", "main");
    git("add", ".gitignore", "README");
    git("commit", "--quiet", "-m", "first");
    git("tag", "empty");
    writeFileSync(join(project, "Pulumi.yaml"), "name: fleet\nruntime: nodejs\nmain: index.js\n");
    writeFileSync(join(project, "index.js"), program("one\ntwo\n", ["a.example", "b.example"]));
    git("add", ".");
    git("commit", "--quiet", "-m", "second");
    writeFileSync(join(project, "index.js"), program("one\n2\n", ["a.example", "b.example", "c.example"]));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  function git(...args: string[]): void {
    const who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    const { status, stderr } = spawnSync("git", [...who, ...args], { cwd: root, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  it("reports what changed since a commit, without a word of secrets, and leaves nothing behind", async () => {
    const { code, out, err } = await gofleet(project, ["diff", "HEAD"]);
    assert.equal(code, 0, err);
    assert.match(out, /-two\n\+2\n/);
    assert.match(out, /1 host joins: `c\.example`/);
    assert.match(out, /\*\*Changes on 3 hosts\*\*/);
    const line =
      program("", [])
        .split("\n")
        .findIndex((each) => each.startsWith("new HostRelease")) + 1;
    assert.ok(out.includes(`\`index.js:${line}\``), out);
    assert.ok(!`${out}${err}`.includes(PLANTED));
    assert.ok(!out.includes("printed by the program"), "what a program prints is no part of the report");
    assert.ok(!existsSync(join(root, ".git/worktrees")) || readdirSync(join(root, ".git/worktrees")).length === 0);
  });

  it("tells another rollout, which visits no host by itself, and the waves of what does", async () => {
    const hosts = ["a.example", "b.example", "c.example", "d.example"];
    writeFileSync(join(project, "index.js"), program("one\ntwo\n", hosts));
    git("commit", "--quiet", "--all", "-m", "four hosts");
    writeFileSync(join(project, "index.js"), program("one\ntwo\n", hosts, { canary: 2, batch: "50 %" }));
    const settings = await gofleet(project, ["diff", "HEAD"]);
    assert.equal(settings.code, 0, settings.err);
    assert.match(settings.out, /Settings change, no host is visited/);
    assert.match(settings.out, /`rollout\.canary`: `1` → `2`/);
    writeFileSync(join(project, "index.js"), program("one\n2\n", hosts, { canary: 2, batch: "50 %" }));
    const waves = await gofleet(project, ["diff", "HEAD"]);
    assert.match(waves.out, /2 canaries first, then 2 batches of 1 host/);
    const links = ["--repository", "https://git.corp.example/fleet/infra", "--commit", "0123456789abcdef"];
    const linked = await gofleet(project, ["diff", "HEAD", ...links]);
    assert.match(linked.out, /infra\/blob\/0123456789abcdef\/infra\/fleet\/index\.js#L\d+\)/);
  });

  it("takes a project that was not there yet as new", async () => {
    const { code, out, err } = await gofleet(project, ["diff", "empty"]);
    assert.equal(code, 0, err);
    assert.match(out, /1 new, 4 hosts/);
  });

  it("names components of the package as a preview does", async () => {
    const declared = (version: string): string => `
const { GoToolchainHost, hostPool, lock, ssh } = require("gofleet");
const hosts = Object.fromEntries(["a", "b"].map((key) => [key, ssh({ host: key + ".example", user: "root" })]));
const source = { kind: "module", proxy: "https://goproxy.corp.example" };
new GoToolchainHost("go", { target: hostPool({ hosts }), go: lock("${version}", ${JSON.stringify(LOCK)}), source });
`;
    writeFileSync(join(project, "index.js"), declared("1.26.7"));
    git("commit", "--quiet", "--all", "-m", "a toolchain");
    writeFileSync(join(project, "index.js"), declared("1.26.8"));
    const { code, out, err } = await gofleet(project, ["diff", "HEAD"]);
    assert.equal(code, 0, err);
    assert.match(
      out,
      /\*\*`go`\*\* · GoToolchainHost · `index\.js:\d+` {2}\n\*\*Go `1\.26\.7` → `1\.26\.8` on 2 hosts\*\*/,
    );
  });

  it("says which side's program failed, and which commit is not there", async () => {
    const unknown = await gofleet(project, ["diff", "no-such-branch"]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /no commit "no-such-branch" here; in CI, fetch it first/);
    const option = await gofleet(project, ["diff", "--", "--upload-pack=x"]);
    assert.match(option.err, /no commit "--upload-pack=x"/);
    writeFileSync(join(project, "index.js"), 'throw new Error("no good");');
    const failed = await gofleet(project, ["diff", "HEAD"]);
    assert.equal(failed.code, 1);
    assert.match(failed.err, /the program at the working tree: no good/);
  });
});
