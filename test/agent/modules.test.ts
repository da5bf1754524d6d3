import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanDownload } from "../../src/plan/host-plan";
import { quote } from "../../src/render/shell";
import { machineGo, needsGo } from "../support/go";
import { skip } from "../support/skip";
import { COMPONENT, h1, plan, release, Root, shells, which, zip, type Answer } from "./support";

const NAME = "example.com/!acme/tool";
const PREFIX = "example.com/Acme/tool@v1.2.3";
const FILES = {
  [`${PREFIX}/go.mod`]: "module example.com/Acme/tool\n",
  [`${PREFIX}/main.go`]: "package main\n\nfunc main() {}\n",
};
const ADVICE = "a proxy that this host reaches";

/** A module that the go command which is to build it brings, from where that go command's own settings say. */
describe("agent: modules by a toolchain's own GOPROXY", function () {
  let work: string;
  let root: Root;
  let server: Server;
  let asked: string[];

  before(async function () {
    if (which("python3") === undefined) skip(this, "python3, which makes the zip here, is not installed");
    needsGo(this);
    work = mkdtempSync(join(tmpdir(), "gofleet-modules-"));
    zip(join(work, "v1.2.3.zip"), FILES);
    writeFileSync(join(work, "v1.2.3.info"), '{"Version":"v1.2.3","Time":"2020-01-01T00:00:00Z"}');
    writeFileSync(join(work, "v1.2.3.mod"), FILES[`${PREFIX}/go.mod`] ?? "");
    server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? "");
      asked.push(path);
      if (!path.startsWith(`/${NAME}/@v/`)) return response.writeHead(404).end("not here\n");
      response.end(readFileSync(join(work, path.slice(`/${NAME}/@v/`.length))));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => {
    server?.close();
    if (work) rmSync(work, { recursive: true, force: true });
  });
  const [shell] = shells();
  beforeEach(() => {
    root = new Root(shell);
    asked = [];
  });
  afterEach(() => root.dispose());

  /** The real go command with settings of its own; what it would compile is a script instead. */
  const install = (goProxy: string): void => {
    const tree = root.at("usr/local/go");
    mkdirSync(join(tree, "bin"), { recursive: true });
    writeFileSync(join(tree, "go.env"), `GOPROXY=${goProxy}\nGOSUMDB=sum.golang.org\n`);
    const go = join(machineGo()?.root ?? "", "bin/go");
    const script = `#!/bin/sh
if [ "$1" != build ]; then GOROOT=${quote(tree)} exec ${quote(go)} "$@"; fi
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho built\\n' >"$2"
`;
    writeFileSync(join(tree, "bin/go"), script, { mode: 0o755 });
  };
  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (checksum = h1(FILES)): Promise<Answer> => {
    const download: PlanDownload = {
      name: "tool-1.2.3",
      format: "module",
      variants: [{ arch: "any", checksum, urls: [`goproxy:${PREFIX}`] }],
      build: { package: ".", output: "tool", goRoot: "/usr/local/go", env: {} },
      advice: ADVICE,
    };
    return root.run(release(plan({ downloads: [download] })));
  };

  it("fetches the module, and asks no checksum database about it", async () => {
    install(`${base()},direct`);
    const answer = await run();
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.equal(execFileSync(root.at(`usr/local/lib/gofleet/${COMPONENT}/tool-1.2.3/bin/tool`)).toString(), "built\n");
    assert.deepEqual(asked.map((path) => path.replace(/.*\./, "")).sort(), ["info", "mod", "zip"]);
  });

  it("goes on to the next proxy of the list", async () => {
    install(`${base()}/empty,${base()}`);
    const answer = await run();
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.ok(asked.some((path) => path.startsWith("/empty/")));
  });

  it("takes nothing but the module of that sum", async () => {
    install(base());
    const answer = await run(`h1:${"A".repeat(43)}=`);
    assert.equal(answer.code, 15, JSON.stringify(answer));
    assert.match(String(answer.result["msg"]), /Acme\/tool@v1\.2\.3, by GOPROXY=http:.*: h1:.*, wanted: h1:AAA/);
  });

  it("says what was tried and what would do, and no password", async () => {
    install("https://ann:hunter2@127.0.0.1:9/modules");
    const answer = await run();
    assert.deepEqual([answer.code, answer.result["status"]], [15, "failed"], JSON.stringify(answer));
    const said = String(answer.result["msg"]);
    assert.match(said, /GOPROXY is https:\/\/127\.0\.0\.1:9\/modules, did not get example\.com\/Acme\/tool@v1\.2\.3/);
    assert.match(said, /connection refused/);
    assert.ok(said.endsWith(`What would do: ${ADVICE}`), said);
    assert.ok(!JSON.stringify(answer).includes("hunter2"), JSON.stringify(answer));
    assert.ok(!root.has("usr/local/lib/gofleet") && !root.has("etc/gofleet"));
  });
});
