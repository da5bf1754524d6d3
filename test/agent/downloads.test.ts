import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lock } from "../../src/model/lock-file";
import type { PlanDownload } from "../../src/plan/host-plan";
import { TestAuthority } from "../support/certificates";
import { skip } from "../support/skip";
import { COMPONENT, file, h1, plan, release, Root, shells, which, zip, type Release } from "./support";

const ARCH = process.arch === "arm64" ? "arm64" : "amd64";
const OTHER = ARCH === "amd64" ? "arm64" : "amd64";
const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

function of(download: PlanDownload): Release {
  return release(plan({ downloads: [download] }));
}

describe("agent: downloads", function () {
  const [shell] = shells();
  let root: Root;
  let work: string;
  let tree: string;
  let archive: Buffer;
  let server: Server;
  let base: string;
  let asked: string[] = [];
  let serve: (url: string) => Buffer | number;

  before((done) => {
    work = mkdtempSync(join(tmpdir(), "gofleet-downloads-"));
    tree = join(work, "go");
    mkdirSync(join(tree, "bin"), { recursive: true });
    writeFileSync(join(tree, "bin/go"), "#!/bin/sh\necho go\n", { mode: 0o755 });
    writeFileSync(join(tree, "VERSION"), "go1.0\n");
    writeFileSync(join(tree, "go.env"), "GOPROXY=direct\n");
    execFileSync("tar", ["czf", join(work, "go.tar.gz"), "-C", work, "go"]);
    archive = readFileSync(join(work, "go.tar.gz"));
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      const answer = serve(request.url ?? "");
      if (typeof answer === "number") response.writeHead(answer).end();
      else response.end(answer);
    });
    server.listen(0, "127.0.0.1", () => {
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      done();
    });
  });
  after(() => {
    server.close();
    rmSync(work, { recursive: true, force: true });
  });
  beforeEach(() => {
    root = new Root(shell);
    asked = [];
    serve = () => archive;
  });
  afterEach(() => root.dispose());

  const tarball = (urls: readonly string[], more: Partial<PlanDownload> = {}): Release =>
    of({
      name: "go1.0",
      format: "tar.gz",
      variants: [
        { arch: ARCH, checksum: digest(archive), urls },
        { arch: OTHER, checksum: "0".repeat(64), urls: [`${base}/wrong-arch`] },
      ],
      overlay: { path: "go.env", text: "/etc/go/go.env" },
      ...more,
    });
  const lib = (path = ""): string => root.at(`usr/local/lib/gofleet/${COMPONENT}/go1.0/${path}`);

  it("verifies, unpacks, keeps, and takes away what no kept release names", async () => {
    const answer = await root.run(tarball([`${base}/go.tar.gz`]));
    assert.equal(answer.code, 0, JSON.stringify(answer));
    const said = answer.events.filter(({ ev }) => ev === "download").map(({ msg }) => msg);
    assert.deepEqual(said, ["fetching", "verified", "unpacked"]);
    assert.equal(execFileSync(lib("bin/go")).toString(), "go\n");
    assert.equal(
      readlinkSync(lib("go.env")),
      `../../../../../../etc/gofleet/${COMPONENT}/current/.gofleet/overlay/go1.0`,
    );
    assert.equal(readFileSync(lib("go.env"), "utf8"), "GOPROXY=direct\n");
    assert.equal((await root.run(tarball([`${base}/go.tar.gz`]))).result["status"], "same");
    // Where it comes from is no part of what it is.
    assert.equal((await root.run(tarball([`${base}/elsewhere`]))).result["status"], "same");
    assert.deepEqual(asked, ["/go.tar.gz"]);
    assert.equal((await root.run(release(plan({})), { keep: 1 })).code, 0);
    await root.quiet();
    assert.ok(!existsSync(lib()));
    assert.deepEqual(readdirSync(root.at(`var/lib/gofleet/${COMPONENT}/downloads`)), []);
  });

  it("takes a download from a server whose CA the same release brings, and from no other", async function () {
    if (which("openssl") === undefined) skip(this, "there is no openssl to make test certificates");
    const authority = new TestAuthority(join(work, "ca"));
    const leaf = authority.leaf("local.test.example", { names: ["IP:127.0.0.1"] });
    const secure = createTlsServer({ cert: authority.chain(leaf), key: leaf.key }, (_, response) => {
      response.end(archive);
    });
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    try {
      const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/go.tar.gz`;
      const download: PlanDownload = {
        name: "go1.0",
        format: "tar.gz",
        variants: [{ arch: ARCH, checksum: digest(archive), urls: [url] }],
      };
      const trusting = (ca: string): Release =>
        release(
          plan({
            files: [file("/usr/local/share/ca-certificates/test.crt", ca, { place: "copy" })],
            downloads: [download],
          }),
        );
      assert.equal((await root.run(of(download))).code, 15);
      assert.equal((await root.run(trusting(new TestAuthority(join(work, "other")).root.certificate))).code, 15);
      assert.ok(!existsSync(lib()));
      const on = await root.run(trusting(authority.root.certificate));
      assert.equal(on.code, 0, JSON.stringify(on));
      assert.ok(existsSync(lib("bin/go")));
    } finally {
      secure.close();
    }
  });

  it("lets a file of the release lead the tree's own, in every version on disk", async () => {
    const leading = (text: string, version: string): Release =>
      release(
        plan({
          files: [file("/etc/go/go.env", text)],
          downloads: [
            {
              name: version,
              format: "tar.gz",
              variants: [{ arch: ARCH, checksum: digest(archive), urls: [`${base}/go.tar.gz`] }],
              overlay: { path: "go.env", text: "/etc/go/go.env" },
            },
          ],
        }),
      );
    const env = (version: string): string =>
      readFileSync(root.at(`usr/local/lib/gofleet/${COMPONENT}/${version}/go.env`), "utf8");
    assert.equal((await root.run(leading("GOPROXY=one\n", "go1.0"))).code, 0);
    assert.equal(env("go1.0"), "GOPROXY=one\nGOPROXY=direct\n");
    const two = leading("GOPROXY=two\n", "go1.1");
    assert.equal((await root.run(two)).code, 0);
    assert.deepEqual([env("go1.0"), env("go1.1")], ["GOPROXY=two\nGOPROXY=direct\n", "GOPROXY=two\nGOPROXY=direct\n"]);
    assert.equal((await root.run(two)).result["status"], "same");
    writeFileSync(root.at(`etc/gofleet/${COMPONENT}/current/.gofleet/overlay/go1.1`), "GOPROXY=evil\n");
    const read = await root.start("read");
    assert.deepEqual(
      read.events.filter(({ ev }) => ev === "drift").map(({ kind, path }) => [kind, path]),
      [["modified", `/usr/local/lib/gofleet/${COMPONENT}/go1.1/go.env`]],
    );
    assert.equal((await root.run(two)).result["status"], "ok");
    assert.equal(env("go1.1"), "GOPROXY=two\nGOPROXY=direct\n");
  });

  it("goes to the next source after an error, a cut and a wrong checksum, and says so if none is left", async () => {
    serve = (url) => (url === "/good" ? archive : url === "/cut" ? archive.subarray(0, 100) : 404);
    const urls = [`${base}/gone`, `${base}/cut`, `file:///nonexistent`, `${base}/good`];
    assert.equal((await root.run(tarball(urls))).code, 0);
    assert.deepEqual(asked, ["/gone", "/cut", "/good"]);
    await root.start("remove");
    const bad = await root.run(tarball([`${base}/cut`]));
    assert.deepEqual([bad.code, bad.result["status"]], [15, "failed"]);
    assert.match(String(bad.result["msg"]), new RegExp(`/cut: sha256 is [0-9a-f]{64}, wanted: ${digest(archive)}`));
    assert.ok(!root.has("usr/local/lib/gofleet") && !root.has("etc/gofleet"), "a first run that fails leaves nothing");
  });

  it("says that the disk is full when it is, and keeps what is there", async function () {
    if (process.getuid?.() !== 0) skip(this, "mounting a small file system needs root");
    const big = randomBytes(900_000);
    const small = root.at("usr/local/lib");
    mkdirSync(small, { recursive: true });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=400k", "tmpfs", small]);
    } catch {
      skip(this, "a small tmpfs cannot be mounted here");
    }
    try {
      assert.equal((await root.run(tarball([`${base}/go.tar.gz`]))).code, 0);
      serve = () => big;
      const variants = [{ arch: "any" as const, checksum: digest(big), urls: [`${base}/big`] }];
      const full = await root.run(of({ name: "big", format: "file", variants }));
      assert.equal(full.code, 12, JSON.stringify(full));
      assert.ok(existsSync(lib("bin/go")));
      assert.deepEqual(readdirSync(root.at(`usr/local/lib/gofleet/${COMPONENT}`)), ["go1.0"]);
    } finally {
      execFileSync("umount", ["--lazy", small]);
    }
  });

  it("never shows a password of an address", async () => {
    serve = () => 403;
    const answer = await root.run(tarball([`${base.replace("//", "//ann:hunter2@")}/go?token=hunter2`]));
    assert.equal(answer.code, 15);
    assert.ok(!JSON.stringify(answer).includes("hunter2"), JSON.stringify(answer));
  });

  it("takes an archive that the operator pushed", async () => {
    const what = tarball([]);
    assert.equal((await root.run(what)).code, 15);
    assert.equal((await root.start("put", {}, new Map([[`upload/go1.0.${ARCH}`, archive]]))).code, 0);
    const answer = await root.run(what);
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.deepEqual(readdirSync(root.at(`var/lib/gofleet/${COMPONENT}/downloads`)).sort(), [
      "go1.0.stat",
      "go1.0.sums",
    ]);
  });

  it("reads what drifted in a download, and repairs just that", async () => {
    const what = tarball([`${base}/go.tar.gz`]);
    assert.equal((await root.run(what)).code, 0);
    const { mtime } = statSync(lib("VERSION"));
    writeFileSync(lib("VERSION"), "go6.6\n");
    utimesSync(lib("VERSION"), mtime, mtime);
    writeFileSync(lib("added"), "");
    rmSync(lib("bin/go"));
    const read = await root.start("read");
    const drift = read.events
      .filter(({ ev }) => ev === "drift")
      .map(({ kind, path }) => `${String(kind)} ${String(path).split("go1.0/")[1]}`);
    assert.deepEqual(drift.sort(), ["added added", "missing bin/go", "modified VERSION"]);
    const untouched = statSync(lib("bin")).ino;
    assert.deepEqual(
      [(await root.run(what)).result["status"], readFileSync(lib("VERSION"), "utf8")],
      ["ok", "go1.0\n"],
    );
    assert.equal(statSync(lib("bin")).ino, untouched);
    assert.ok(!existsSync(lib("added")));
    // Touched but equal is no drift.
    utimesSync(lib("VERSION"), new Date(), new Date());
    assert.equal((await root.run(what)).result["status"], "same");
    chmodSync(lib("VERSION"), 0o604);
    const mode = await root.start("read");
    assert.deepEqual(
      mode.events.filter(({ ev }) => ev === "drift").map(({ kind }) => kind),
      ["mode"],
    );
  });

  it("never takes an interrupted download for an installed one", async () => {
    const what = tarball([`${base}/go.tar.gz`]);
    let stop = (): void => undefined;
    serve = () => {
      stop();
      return archive.subarray(0, 100);
    };
    await root.run(what, {}, { onEvent: (_: unknown, kill: () => void) => (stop = kill) });
    assert.ok(!existsSync(lib()));
    serve = () => archive;
    assert.equal((await root.run(what)).code, 0);
    assert.ok(existsSync(lib("bin/go")));
  });

  it("places a single file under the name of its address", async () => {
    serve = () => Buffer.from("#!/bin/sh\necho served\n");
    const checksum = digest(Buffer.from("#!/bin/sh\necho served\n"));
    const what = of({
      name: "go1.0",
      format: "file",
      variants: [{ arch: "any", checksum, urls: [`${base}/dl/served?x=1`] }],
    });
    const answer = await root.run(what);
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.equal(execFileSync(lib("served")).toString(), "served\n");
  });

  it("checks a module zip by its h1: sum over the unpacked files", async function () {
    if (which("python3") === undefined) skip(this, "python3, which makes the zip here, is not installed");
    const prefix = "golang.org/toolchain@v0.0.1-go1.0.linux-amd64";
    const files = {
      [`${prefix}/bin/go`]: "#!/bin/sh\necho go\n",
      [`${prefix}/pkg/tool/linux_amd64/vet`]: "x",
      [`${prefix}/go.env`]: "e",
    };
    const archive = join(work, "module.zip");
    zip(archive, files);
    const module = (checksum: string): Release =>
      of({ name: "go1.0", format: "module", variants: [{ arch: ARCH, checksum, urls: [`file://${archive}`] }] });
    const wrong = await root.run(module(`h1:${"A".repeat(43)}=`));
    assert.equal(wrong.code, 15);
    assert.match(String(wrong.result["msg"]), /h1:.* wanted: h1:AAA/);
    const right = await root.run(module(h1(files)));
    assert.equal(right.code, 0, JSON.stringify(right));
    assert.equal(execFileSync(lib("bin/go")).toString(), "go\n");
    assert.equal(statSync(lib("pkg/tool/linux_amd64/vet")).mode & 0o777, 0o755);
    assert.equal(statSync(lib("go.env")).mode & 0o777, 0o644);
  });

  it("agrees with Go about a real toolchain", async function () {
    const go = which("go");
    if (go === undefined) skip(this, "no go here to fetch one with");
    const release = lock("1.26");
    const module = `golang.org/toolchain@v0.0.1-go${release.version}.linux-${ARCH}`;
    const fetched = spawnSync(go, ["mod", "download", "-json", module], { cwd: tmpdir(), encoding: "utf8" });
    if (fetched.status !== 0) skip(this, `go fetches no toolchain: ${fetched.stdout}${fetched.stderr}`);
    const { Zip, Sum: checksum } = JSON.parse(fetched.stdout) as { Zip: string; Sum: string };
    const variants = [{ arch: ARCH, checksum, urls: [`file://${Zip}`] }] as const;
    const install = () => root.run(of({ name: "go1.0", format: "module", variants }));
    const answer = await install();
    assert.equal(answer.code, 0, JSON.stringify(answer));
    const version = execFileSync(lib("bin/go"), ["version"], {
      env: { ...process.env, GOTOOLCHAIN: "local", GOROOT: "" },
    }).toString();
    assert.ok(version.includes(`go${release.version} `), version);
    assert.equal((await install()).result["status"], "same");
  });
});
