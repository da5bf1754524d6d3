import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { h1, zip } from "../agent/support";
import { TestStack } from "../support/engine";
import { said, target } from "./programs";
import { raw } from "./raw-program";
import { offer } from "./repository";
import { type Host, hosts, needsHosts } from "./support/hosts";

const PREFIX = "example.com/tool@v1.2.3";
const SOURCES = { [`${PREFIX}/go.mod`]: "module example.com/tool\n", [`${PREFIX}/main.go`]: "package main\n" };

/** The program's side of what real hosts install, build and keep free; `packages` and `build` have the host's. */
describe("packages, builds and ports of a program", function () {
  let host: Host;
  let work: string;
  let stack: TestStack;

  const program = (port: number, env: Record<string, string> = {}) =>
    raw({
      target: target(host),
      plan: {
        packages: ["demod"],
        listens: [{ address: "127.0.0.1", port, unit: "ours.service" }],
        downloads: [
          {
            name: "tool-1.2.3",
            format: "module",
            variants: [{ arch: "any", checksum: h1(SOURCES), urls: [], file: join(work, "tool.zip") }],
            build: { package: ".", output: "tool", goRoot: "/opt/go", env },
          },
        ],
      },
    });

  before(async function () {
    needsHosts(this);
    work = mkdtempSync(join(tmpdir(), "gofleet-supplies-"));
    zip(join(work, "tool.zip"), SOURCES);
    host = await hosts.boot("rack-01");
    await offer(host, [{ name: "demod", files: { "usr/share/demod/x": "x\n" } }]);
    // Stands for a toolchain; the real one builds in `build`.
    const go = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho "$GOPROXY$GOAMD64" >"$2"\n';
    await host.exec("mkdir -p /opt/go/bin && cat >/opt/go/bin/go && chmod 755 /opt/go/bin/go", { input: go });
    stack = await TestStack.create(program(8080));
  });
  after(async () => {
    stack?.remove();
    if (work) rmSync(work, { recursive: true, force: true });
    await hosts.stopAll();
  });

  const built = (): Promise<string> => host.exec("cat /usr/local/lib/gofleet/raw/tool-1.2.3/bin/tool");

  it("are shown, pushed, put on, and then nothing is left to do", async () => {
    const preview = await stack.previewText();
    for (const wanted of [
      /packages *: \[\s*\[0\]: "demod"/,
      /127\.0\.0\.1:8080"? *: "ours\.service"/,
      /goRoot"? *: "\/opt\/go"/,
    ]) {
      assert.match(preview, wanted);
    }
    await stack.up();
    assert.equal(await built(), "\n");
    assert.equal((await host.exec("cat /usr/share/demod/x")).trim(), "x");
    assert.deepEqual((await stack.preview()).changes, {});
  });

  it("are built again for another recipe, not for another proxy", async () => {
    stack.program = program(8080, { GOPROXY: "https://goproxy.example" });
    assert.deepEqual((await stack.preview()).changes, {});
    stack.program = program(8080, { GOPROXY: "https://goproxy.example", GOAMD64: "v3" });
    await stack.up();
    assert.equal(await built(), "https://goproxy.examplev3\n");
  });

  it("are named where they drifted, and mended", async () => {
    await host.exec("apt-get -y purge demod; echo other >/usr/local/lib/gofleet/raw/tool-1.2.3/bin/tool");
    await stack.refresh();
    const preview = await stack.previewText();
    assert.match(preview, /package demod"? *: "missing"/);
    assert.match(preview, /tool-1\.2\.3\/bin\/tool"? *: "modified/);
    await stack.up();
    assert.equal(await built(), "https://goproxy.examplev3\n");
    await stack.refresh();
    assert.deepEqual((await stack.preview()).changes, {});
  });

  it("are refused with what would do", async () => {
    await host.exec("systemd-run --unit=theirs python3 -m http.server --bind 127.0.0.1 8090");
    await host.exec("until ss -Hltn | grep -q ':8090 '; do sleep 0.1; done");
    stack.program = program(8090);
    const failed = said(await stack.up({ expect: "failure" }));
    assert.match(failed, /nothing changed: port 127\.0\.0\.1:8090, for ours\.service of raw, .* of theirs\.service/);
    assert.doesNotMatch(failed, /unsupported/);
  });
});
