import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanDownload } from "../../src/plan/host-plan";
import { recipeDigest } from "../../src/plan/recipe";
import { onHost, runOn } from "../agent/on-host";
import { COMPONENT, file, h1, plan, release, zip, type Answer, type Release } from "../agent/support";
import { GoProxy, TOOLCHAIN } from "./support/goproxy";
import { difference, type Host, hosts, needsHosts } from "./support/hosts";

const ARCH = process.arch === "arm64" ? "arm64" : "amd64";
const GO = "1.26.8";
const ZIP = `v0.0.1-go${GO}.linux-${ARCH}.zip`;
/** Where the host's go finds modules: a directory as GOPROXY. */
const MODULES = "/srv/modules";

const DEP = {
  "example.com/dep@v1.0.0/go.mod": "module example.com/dep\n\ngo 1.26\n",
  "example.com/dep@v1.0.0/dep.go": 'package dep\n\nfunc Says() string { return "from the module" }\n',
};
const DEP_MOD = DEP["example.com/dep@v1.0.0/go.mod"];
const PREFIX = "example.com/tool@v1.2.3";
const TOOL = {
  [`${PREFIX}/go.mod`]: "module example.com/tool\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n",
  [`${PREFIX}/go.sum`]: `example.com/dep v1.0.0 ${h1(DEP)}\nexample.com/dep v1.0.0/go.mod ${h1({ "go.mod": DEP_MOD })}\n`,
  [`${PREFIX}/cmd/tool/main.go`]: `package main

import (
	"fmt"
	"runtime"

	"example.com/dep"
)

func main() { fmt.Println(dep.Says(), runtime.Version()) }
`,
};

describe("builds on a real host", function () {
  this.timeout(400_000);
  let host: Host;
  let proxy: GoProxy;
  let work: string;
  let toolchain: PlanDownload;

  before(async function () {
    needsHosts(this);
    work = mkdtempSync(join(tmpdir(), "gofleet-build-"));
    host = await hosts.boot("build");
    proxy = await GoProxy.start({ address: await hosts.operatorAddress() });
    const checksum = readFileSync(`${await proxy.file(ZIP)}hash`, "utf8").trim();
    toolchain = {
      name: `go${GO}`,
      format: "module",
      variants: [{ arch: ARCH, checksum, urls: [`${proxy.url}/${TOOLCHAIN}/@v/${ZIP}`] }],
      overlay: { path: "go.env", text: "/etc/demo/go.env" },
    };
    offer(DEP);
    zip(join(work, "tool.zip"), TOOL);
  });
  after(async () => {
    if (work) rmSync(work, { recursive: true, force: true });
    await proxy?.stop();
    await hosts.stopAll();
  });

  /** What the host's go gets when it asks for the dependency. */
  const offer = (files: Record<string, string>): void => {
    const folder = join(host.rootDir, MODULES, "example.com/dep/@v");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "v1.0.0.info"), '{"Version":"v1.0.0"}');
    writeFileSync(join(folder, "v1.0.0.mod"), DEP_MOD);
    zip(join(folder, "v1.0.0.zip"), files);
  };
  const tool = (more: object = {}): PlanDownload => {
    const build = { package: "./cmd/tool", output: "tool", goRoot: `download:go${GO}`, env: {}, ...more };
    return {
      name: `a-tool-1.2.3-${recipeDigest(build)}`,
      format: "module",
      variants: [{ arch: "any", checksum: h1(TOOL), urls: [], file: join(work, "tool.zip") }],
      build,
    };
  };
  /** The settings come from the release's own go.env, which no release before had. */
  const wants = (download: PlanDownload): Release =>
    release(
      plan({
        files: [file("/etc/demo/go.env", `GOPROXY=file://${MODULES}\nGOSUMDB=off\nGOFLAGS=-mod=mod\n`)],
        downloads: [download, toolchain],
        symlinks: [
          {
            path: "/usr/local/bin/tool",
            target: `/usr/local/lib/gofleet/${COMPONENT}/${download.name}/bin/tool`,
            switched: true,
          },
        ],
      }),
    );
  const push = ({ name }: PlanDownload): Promise<Answer> =>
    onHost(host, "put", {}, new Map([[`upload/${name}.any`, readFileSync(join(work, "tool.zip"))]]));
  const run = (what: Release): Promise<Answer> => runOn(host, what, { deadline: 300, lockwait: 300 });

  it("refuse a dependency that is not what go.sum says, and leave nothing", async () => {
    const before = await host.listing();
    offer({ ...DEP, "example.com/dep@v1.0.0/dep.go": 'package dep\n\nfunc Says() string { return "poisoned" }\n' });
    await push(tool());
    const answer = await run(wants(tool()));
    assert.equal(answer.code, 15, JSON.stringify(answer));
    assert.match(String(answer.result["msg"]), /could not be built: .*checksum mismatch/s);
    offer(DEP);
    assert.deepEqual(
      difference(before, await host.listing()).filter((line) => !line.includes(MODULES)),
      [],
    );
  });

  it("make a command with the plan's own toolchain, from sources that the operator pushed", async () => {
    const download = tool();
    await push(download);
    const answer = await run(wants(download));
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.deepEqual(
      answer.events.filter(({ ev }) => ev === "download").map(({ name, msg }) => `${String(name)} ${String(msg)}`),
      [
        ...["fetching", "verified", "unpacked"].map((msg) => `go${GO} ${msg}`),
        ...["pushed", "verified", "building", "unpacked"].map((msg) => `${download.name} ${msg}`),
      ],
    );
    assert.equal(await host.exec("tool"), `from the module go${GO}\n`);
    const tree = `/usr/local/lib/gofleet/${COMPONENT}`;
    assert.equal(
      await host.exec(`cd ${tree} && find ${download.name} && ls -A`),
      [`${download.name}`, `${download.name}/bin`, `${download.name}/bin/tool`, download.name, `go${GO}`, ""].join(
        "\n",
      ),
    );
    const info = await host.exec(`${tree}/go${GO}/bin/go version -m /usr/local/bin/tool`);
    assert.match(info, /dep\s+example\.com\/dep\s+v1\.0\.0\s+h1:/);
    assert.match(info, /-trimpath=true/);
    assert.match(info, /CGO_ENABLED=0/);
    assert.equal((await run(wants(download))).result["status"], "same");
    assert.deepEqual(
      (await onHost(host, "read")).events.filter(({ ev }) => ev === "drift"),
      [],
    );
  });

  it("do another recipe beside it, and go back without building", async () => {
    const [old, other] = [tool(), tool({ env: { GOFLAGS: "-ldflags=-s" } })];
    await push(other);
    assert.equal((await run(wants(other))).code, 0);
    const back = await run(wants(old));
    assert.deepEqual(
      back.events.filter(({ ev }) => ev === "download").map(({ msg }) => msg),
      ["kept", "kept"],
    );
    assert.equal(await host.exec("tool"), `from the module go${GO}\n`);
  });

  it("go with the component", async () => {
    assert.equal((await onHost(host, "remove")).code, 0);
    assert.equal(
      await host.exec("ls -A /usr/local/lib /root /tmp | grep -v ^systemd-private- | grep -i go || true"),
      "",
    );
  });
});
