import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GoServiceUnit, type GoServiceUnitArgs, type ServiceRelease } from "../../src/index";
import { said } from "../hosts/programs";
import { FileServer } from "../hosts/support/file-server";
import { type Host, hosts } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { machineGo, temporaryDirectory } from "../support/go";
import { buildProgram, goModule, MODULE } from "../support/go-programs";
import { answer, COMPONENT, property, ServiceLab, told } from "./support/service-lab";

const SOURCE = join(__dirname, "support/service");

/** Programs that are built here or lie here, on a real host; and what is not what was declared never comes on. */
describe("where a service's program comes from, on a real host", function () {
  let lab: ServiceLab;
  let server: FileServer;
  let host: Host;
  let stack: TestStack;
  let work: string;

  before(async function () {
    lab = await ServiceLab.start(this);
    work = temporaryDirectory();
    server = await FileServer.start(await hosts.operatorAddress());
    host = await hosts.boot("server");
    stack = await TestStack.create(run(built("b1")));
  });

  after(async () => {
    stack?.remove();
    if (work) rmSync(work, { recursive: true, force: true });
    await server?.stop();
    await lab?.stop();
  });

  const built = (version: string): ServiceRelease => ({
    build: { package: ".", directory: SOURCE, vcs: false, ldflags: ["-X", `main.version=${version}`] },
    identity: { module: "example.com/served", go: machineGo()?.version as "1.26.8" },
  });

  const run = (release: ServiceRelease) => async () => {
    const args: GoServiceUnitArgs = { ...lab.args(host), env: told({}), rollback: { watch: false }, release };
    const { identity, activeRelease } = new GoServiceUnit("served", args);
    return { identity, activeRelease };
  };

  const trees = async (): Promise<string[]> =>
    (await host.exec(`ls /usr/local/lib/gofleet/${COMPONENT}`)).trim().split("\n");

  it("is built here, sent once, and says on the host what it is", async () => {
    await stack.up();
    assert.equal(await answer(host), "b1");
    const { identity } = await stack.outputs();
    const go = machineGo()?.version;
    assert.deepEqual(identity?.value, {
      module: "example.com/served",
      package: "example.com/served",
      version: "(devel)",
      go,
    });
    assert.deepEqual((await stack.up()).changes, {});
    assert.equal((await trees()).length, 1);
    assert.equal((await host.exec("find /var/tmp /var/lib/gofleet -name 'up.*' -o -name '*.pushed'")).trim(), "");
  });

  it("is a file of this machine, and the release before stays to go back to", async () => {
    const file = join(work, "served-f2");
    buildService(file, "f2");
    stack.program = run({ file });
    assert.deepEqual(Object.keys((await stack.up()).changes), ["served", "served-release"]);
    assert.equal(await answer(host), "f2");
    assert.equal((await trees()).length, 2);
  });

  const refusals: Record<string, [arch: "amd64" | "arm64", identity: ServiceRelease["identity"], says: RegExp]> = {
    "is for another architecture": ["arm64", {}, /check identity: .*served is for arm64, and this host is amd64/],
    "was built from another version": [
      "amd64",
      { module: MODULE, version: "v1.9.0" },
      /served is not what was declared:\s+version is v1\.8\.2, wanted v1\.9\.0/,
    ],
  };
  for (const [name, [arch, identity, says]] of Object.entries(refusals)) {
    it(`is refused before the switch where it ${name}`, async () => {
      const before = await property(host, "MainPID");
      const module = join(work, `module-${arch}`);
      goModule(module);
      buildProgram(module, join(work, arch), { arch });
      const bytes = readFileSync(join(work, arch));
      server.files.set("/artifact", bytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      stack.program = run({ url: `${server.url}/artifact`, sha256, identity });
      assert.match(said(await stack.up({ expect: "failure" })), says);
      assert.equal(await property(host, "MainPID"), before);
      assert.equal(await answer(host), "f2");
    });
  }

  it("is refused at preview where the file is not what was declared", async () => {
    stack.program = run({ file: join(work, "arm64"), identity: { version: "v1.9.0" } });
    assert.match(
      said(await stack.preview({ expect: "failure" })),
      /release\.file: given .*wanted a program that is what was declared: version is v1\.8\.2, wanted v1\.9\.0/,
    );
  });

  function buildService(file: string, version: string): void {
    buildProgram(SOURCE, file, { package: ".", flags: ["-buildvcs=false", `-ldflags=-X main.version=${version}`] });
  }
});
