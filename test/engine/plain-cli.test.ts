import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { enginePath } from "../../src/engine/find";
import { testEngine } from "../support/engine";
import { REPOSITORY } from "../support/engine/project";
import { skip } from "../support/skip";
import { addresses, FakeHosts, LOCK } from "./pool-program";

const PROGRAM = `
const { GoToolchainHost, hostPool, lock, ssh } = require("gofleet");
const hosts = Object.fromEntries(${JSON.stringify(addresses(3))}.map((host, i) => ["rack-" + i, ssh({ host, user: "root" })]));
const source = { kind: "module", proxy: "http://127.0.0.1:9" };
const go = new GoToolchainHost("go", { target: hostPool({ hosts }), go: lock("1.26.8", ${JSON.stringify(LOCK)}), source });
exports.version = go.goVersion;
`;

/** The stock CLI with the stock language host, as most users run it; elsewhere programs run inline. */
describe("plain pulumi commands", function () {
  let project = "";
  let env: NodeJS.ProcessEnv = {};
  const hosts = new FakeHosts();

  before(async function () {
    const found = (process.env["PATH"] ?? "")
      .split(delimiter)
      .some((dir) => existsSync(join(dir, "pulumi-language-nodejs")));
    if (!found) skip(this, "pulumi-language-nodejs is not on PATH");
    project = mkdtempSync(join(tmpdir(), "gofleet-plain-"));
    for (const dir of ["node_modules", "state", "home"]) mkdirSync(join(project, dir));
    symlinkSync(REPOSITORY, join(project, "node_modules/gofleet"));
    symlinkSync(join(REPOSITORY, "node_modules/@pulumi"), join(project, "node_modules/@pulumi"));
    const settings = "name: plain\nruntime:\n  name: nodejs\n  options: { typescript: false }\nmain: index.js\n";
    writeFileSync(join(project, "Pulumi.yaml"), `${settings}backend: { url: "file://${join(project, "state")}" }\n`);
    writeFileSync(join(project, "index.js"), PROGRAM);
    env = {
      ...process.env,
      ...hosts.env,
      PATH: enginePath(await testEngine(), process.env["PATH"]),
      PULUMI_HOME: join(project, "home"),
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    pulumi("stack", "init", "dev");
  });
  after(() => {
    hosts.remove();
    if (project !== "") rmSync(project, { recursive: true, force: true });
  });

  function pulumi(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync("pulumi", [...args, "--non-interactive"], {
      cwd: project,
      env,
      encoding: "utf8",
    });
    assert.equal(status, 0, `pulumi ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  }

  it("preview, up, no-op up, refresh and destroy do what the inline engine does", () => {
    assert.match(pulumi("preview"), /\+ 3 to create/);
    assert.match(pulumi("up", "--yes"), /version: "go1\.26\.8"/);
    assert.match(pulumi("up", "--yes"), /3 unchanged/);
    assert.match(pulumi("refresh", "--yes"), /3 unchanged/);
    pulumi("destroy", "--yes");
    assert.deepEqual(hosts.releases(addresses(3), "plain-go"), ["", "", ""]);
  });
});
