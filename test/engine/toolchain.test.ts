import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";

import { pack } from "tar-stream";
import { ZipFile } from "yazl";

import { fetchToolchain, placesOf } from "../../src/engine/fetch-toolchain";
import type { FindOptions } from "../../src/engine/options";
import { goProxies, parseGoProxy, shown } from "../../src/engine/go-proxy";
import { unpackModuleZip } from "../../src/engine/module-zip";
import type { Checksums, GoRelease } from "../../src/model/toolchain";
import { platformOf } from "../../src/engine/toolchain";

const MODULE = "golang.org/toolchain@v0.0.1-go1.99.0.linux-amd64";
const FILES = {
  VERSION: "go1.99.0\n",
  "bin/go": "#!/bin/sh\necho go version go1.99.0 linux/amd64\n",
  "pkg/tool/linux_amd64/compile": "tool",
  "src/a b/ä.go": "package a\n",
  "src/a.go": "package a\n",
};

describe("fetching a Go toolchain", () => {
  let dir = "";
  let zip = "";
  let h1 = "";
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "gofleet-toolchain-"));
    zip = join(dir, "module.zip");
    await writeZip(zip, Object.fromEntries(Object.entries(FILES).map(([name, text]) => [`${MODULE}/${name}`, text])));
    h1 = oracle(zip);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("computes the module's checksum as coreutils do, and sets execute bits", async () => {
    assert.equal(await unpackModuleZip(zip, MODULE, join(dir, "go")), h1);
    for (const [name, text] of Object.entries(FILES)) assert.equal(readFileSync(join(dir, "go", name), "utf8"), text);
    for (const name of ["bin/go", "pkg/tool/linux_amd64/compile"]) accessSync(join(dir, "go", name), constants.X_OK);
    assert.match(execFileSync(join(dir, "go/bin/go"), { encoding: "utf8" }), /go1\.99\.0/);
  });

  it("refuses entries of another module", async () => {
    await writeZip(zip, { "golang.org/other@v1.0.0/bin/go": "x" });
    await assert.rejects(unpackModuleZip(zip, MODULE, join(dir, "go")), /no file of golang\.org\/toolchain/);
  });

  describe("through GOPROXY", () => {
    let server: Server;
    let base = "";
    let asked: string[] = [];
    beforeEach(async () => {
      asked = [];
      server = createServer((request, response) => {
        asked.push(`${request.url} ${request.headers.authorization ?? ""}`);
        const known = request.url === "/good/golang.org/toolchain/@v/v0.0.1-go1.99.0.linux-amd64.zip";
        response.writeHead(known ? 200 : 404).end(known ? readFileSync(zip) : "");
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterEach(() => new Promise((done) => server.close(done)));

    const options: FindOptions = { env: {}, projectDir: "/unused", progress: () => {}, releases: [] };
    const fetch = (proxies: string, checksum: string) => {
      const release: GoRelease = { version: "1.99.0", checksums: { "linux-amd64": { h1: checksum } } };
      const places = placesOf(release, "linux-amd64", parseGoProxy(proxies));
      return fetchToolchain(release, "linux-amd64", places, join(dir, "go"), options);
    };

    it("takes the first proxy that has it", async () => {
      await fetch(`${base}/empty,${base}/good/`, h1);
      assert.equal(asked.length, 2);
      assert.equal(readFileSync(join(dir, "go/VERSION"), "utf8"), FILES.VERSION);
      assert.ok(!existsSync(join(dir, "go.zip")));
    });

    it("leaves nothing of a tree whose checksum is not the locked one", async () => {
      const wrong = `h1:${createHash("sha256").update("other").digest("base64")}`;
      await assert.rejects(fetch(`${base}/good`, wrong), (error: Error) => {
        assert.ok(error.message.includes(h1) && error.message.includes(wrong), error.message);
        return true;
      });
      assert.ok(!existsSync(join(dir, "go", "bin")));
    });

    it("names each place that did not have it, without user name and password", async () => {
      const proxies = `${base.replace("//", "//robot:s3cret-token@")}/private,${base}/empty`;
      await assert.rejects(fetch(proxies, h1), (error: Error) => {
        assert.match(error.message, /\/private\/golang\.org\/toolchain.*404/);
        assert.match(error.message, /\/empty\/golang\.org\/toolchain.*404/);
        assert.doesNotMatch(error.message, /robot|s3cret/);
        return true;
      });
      assert.ok(asked[0]?.endsWith(`Basic ${Buffer.from("robot:s3cret-token").toString("base64")}`), asked[0]);
    });
  });

  it("unpacks an official archive only when its sha256 is the locked one", async () => {
    const archive = pack();
    archive.entry({ name: "go/bin/go", mode: 0o755 }, "#!/bin/sh\n");
    archive.entry({ name: "../outside" }, "x");
    archive.finalize();
    const bytes = gzipSync(await buffer(archive));
    const server = createServer((_request, response) => response.end(bytes));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/go1.99.0.linux-amd64.tar.gz`;
    const fetch = (checksum: string) =>
      fetchToolchain(
        { version: "1.99.0", checksums: {} },
        "linux-amd64",
        [{ kind: "archive", url, checksum }],
        join(dir, "go"),
        { env: {}, projectDir: "/unused", progress: () => {}, releases: [] },
      );
    try {
      await assert.rejects(fetch("0".repeat(64)), /sha256 is [0-9a-f]{64}, locked is 0{64}/);
      assert.deepEqual(readdirSync(join(dir, "go")), []);
      await fetch(createHash("sha256").update(bytes).digest("hex"));
      accessSync(join(dir, "go/bin/go"), constants.X_OK);
      assert.ok(!existsSync(join(dir, "outside")), "nothing is written outside");
    } finally {
      server.close();
    }
  });

  it("asks only places whose checksum is locked", () => {
    const places = (sums: Checksums, proxies: string) =>
      placesOf({ version: "1.99.0", checksums: { "linux-amd64": sums } }, "linux-amd64", parseGoProxy(proxies)).map(
        ({ url }) => url,
      );
    const zip = "https://a.example/golang.org/toolchain/@v/v0.0.1-go1.99.0.linux-amd64.zip";
    const archive = "https://go.dev/dl/go1.99.0.linux-amd64.tar.gz";
    assert.deepEqual(places({ h1: "h1:x", sha256: "y" }, "https://a.example,direct"), [zip, archive]);
    assert.deepEqual(places({ h1: "h1:x", sha256: "y" }, "https://a.example"), [zip], "the proxy only");
    assert.deepEqual(places({ h1: "h1:x" }, "direct"), []);
    assert.deepEqual(places({ sha256: "y" }, "https://a.example,direct"), [archive]);
    assert.deepEqual(places({ h1: "h1:x", sha256: "y" }, "off"), []);
  });

  it("reads a proxy list as Go does", async () => {
    assert.deepEqual(parseGoProxy("https://a.example/,https://b.example|direct,https://late.example"), {
      urls: ["https://a.example", "https://b.example"],
      direct: true,
    });
    assert.deepEqual(parseGoProxy("off"), { urls: [], direct: false });
    assert.deepEqual(parseGoProxy("https://a.example"), { urls: ["https://a.example"], direct: false });
    assert.deepEqual(await goProxies({ PATH: "" }), { urls: [], direct: true });
    assert.equal(shown("https://robot:s3cret@a.example/x"), "https://a.example/x");
  });

  it("knows the platforms that can be locked", () => {
    assert.equal(platformOf({ platform: "linux", arch: "x64" }), "linux-amd64");
    assert.equal(platformOf({ platform: "linux", arch: "arm64" }), "linux-arm64");
    assert.equal(platformOf({ platform: "darwin", arch: "arm64" }), undefined);
  });
});

async function writeZip(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  const archive = new ZipFile();
  for (const [name, text] of Object.entries(files)) archive.addBuffer(Buffer.from(text), name);
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(path));
}

/** The checksum computed without our code, by sort(1) and sha256sum(1). */
function oracle(zip: string): string {
  const lines = Object.entries(FILES).map(
    ([name, text]) => `${createHash("sha256").update(text).digest("hex")}  ${MODULE}/${name}\n`,
  );
  const sorted = execFileSync("sort", ["-k2"], {
    input: lines.join(""),
    env: { LC_ALL: "C", PATH: process.env["PATH"] },
  });
  const digest = execFileSync("sha256sum", { input: sorted, encoding: "utf8" }).slice(0, 64);
  assert.ok(existsSync(dirname(zip)));
  return `h1:${Buffer.from(digest, "hex").toString("base64")}`;
}
