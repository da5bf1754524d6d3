import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GoProxyMirror, type GoRelease } from "../../src/index";
import { said } from "../hosts/programs";
import { hosts, type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { DOMAIN, STORE, Surroundings } from "./support/mirror-host";

const VERSION = "1.26.7";
const PLATFORM = process.arch === "arm64" ? "linux-arm64" : "linux-amd64";
const ATHENS = "gofleet-gofleet-test-goproxy-athens";

/** Writes a toolchain's module zip anew as an archive, with one line of its go.env changed. */
const REPACK = `import io, re, sys, tarfile, zipfile
source, target, proxy = sys.argv[1:]
with zipfile.ZipFile(source) as zip, tarfile.open(target, "w:gz", compresslevel=1) as tar:
    for name in zip.namelist():
        path = re.sub("^[^@]*@[^/]*/", "", name)
        content = zip.read(name)
        if path == "go.env":
            content = re.sub(b"(?m)^GOPROXY=.*$", b"GOPROXY=" + proxy.encode(), content)
        entry = tarfile.TarInfo("go/" + path)
        entry.size = len(content)
        entry.mode = 0o755 if re.match("bin/|pkg/tool/", path) else 0o644
        tar.addfile(entry, io.BytesIO(content))
`;

/** A host whose toolchain, as it was made, takes modules from the test's server: nothing else says where Athens is. */
describe("a module mirror without an upstream and without a finished Athens, on a real host", function () {
  this.timeout(20 * 60_000);
  let around: Surroundings;
  let folder: string;
  let files: Server;
  let go: GoRelease;
  let server: Host;
  let stack: TestStack;

  before(async function () {
    around = await Surroundings.start(this);
    folder = mkdtempSync(join(tmpdir(), "gofleet-toolchain-"));
    const archive = await toolchain();
    files = createServer((_, response) => void createReadStream(archive).pipe(response));
    files.listen(0, await hosts.operatorAddress());
    await once(files, "listening");
    const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
    go = { version: VERSION, checksums: { [PLATFORM]: { sha256 } } };
    server = await around.host("mirror");
    stack = await TestStack.create(program);
  });

  after(async () => {
    stack?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
    files?.close();
    await around?.stop();
  });

  /** The archive of the toolchain that asks the test's own module server by default. */
  async function toolchain(): Promise<string> {
    const [zip, archive] = [join(folder, "go.zip"), join(folder, "go.tar.gz")];
    const answer = await fetch(`${around.upstream.url}/golang.org/toolchain/@v/v0.0.1-go${VERSION}.${PLATFORM}.zip`);
    assert.equal(answer.status, 200);
    writeFileSync(zip, Buffer.from(await answer.arrayBuffer()));
    execFileSync("python3", ["-c", REPACK, zip, archive, around.upstream.url]);
    return archive;
  }

  const program = async () => {
    const { address, port } = files.address() as AddressInfo;
    const { target, domain, tls, storage } = around.args(server);
    const source = { kind: "official", url: `http://${address}:${port}` } as const;
    const mirror = new GoProxyMirror("goproxy", { target, domain, tls, storage, go, source });
    return { origin: mirror.origin };
  };

  it("says what was asked and what would do where the toolchain's default has nothing", async () => {
    around.upstream.fault = { kind: "status", code: 403 };
    const failed = said(await stack.up({ expect: "failure" }));
    assert.ok(failed.includes(`go${VERSION}, whose GOPROXY is ${around.upstream.url}, did not get`), failed);
    assert.match(failed, /github\.com\/gomods\/athens@v.*403 Forbidden/s);
    assert.match(
      failed,
      /What would do: a module proxy that this host reaches, as in upstream: .* athens: \{ binary: /,
    );
    assert.equal((await server.run("test -e /etc/gofleet")).code, 1, "a first release that fails leaves nothing");
  });

  it("builds Athens from the module that the toolchain's default brings, and serves", async () => {
    around.upstream.fault = undefined;
    const asked = around.upstream.requests.length;
    await stack.up();
    const requests = around.upstream.requests.slice(asked);
    assert.ok(requests.some((path) => /^\/github\.com\/gomods\/athens\/@v\/v.*\.zip$/.test(path)));
    assert.ok(
      requests.some((path) => !path.includes("gomods") && path.endsWith(".zip")),
      "what Athens is made of",
    );
    assert.equal((await server.exec(`systemctl is-active ${ATHENS}`)).trim(), "active");
    const status = `curl -s -o /dev/null -w '%{http_code}' https://${DOMAIN}/healthz`;
    assert.equal(await server.exec(status), "200");
    await server.exec(`test -d ${STORE}`);
    assert.deepEqual((await stack.up()).changes, {});
  });
});
