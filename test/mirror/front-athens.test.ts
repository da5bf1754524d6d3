import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ZipFile } from "yazl";
import { athensBinary } from "../support/athens";
import { needsNginx, TestMirror } from "../support/front";
import { machineGo, needsGo } from "../support/go";
import { text, type Answer } from "../support/nginx";

const MODULE = "example.com/mod";

describe("the front before a real Athens", function () {
  this.timeout(20 * 60_000);
  let binary: string;
  let mirror: TestMirror;
  let athens: ChildProcess;
  before(async function () {
    needsNginx(this);
    needsGo(this);
    binary = await athensBinary();
  });
  beforeEach(async () => {
    mirror = new TestMirror({
      args: { domain: "localhost" },
      pair: (ca) => chained(ca.leaf("localhost"), ca.intermediate),
    });
    for (const module of [MODULE, "example.com/Upper"]) {
      for (const version of ["v1.0.0", "v1.1.0"]) await publish(join(mirror.root, "origin"), module, version);
    }
    await mirror.front.start();
    athens = await startAthens();
  });
  afterEach(async () => {
    await kill();
    await mirror.stop();
  });

  const chained = (leaf: { certificate: string; key: string }, intermediate: { certificate: string }) => ({
    certificate: leaf.certificate + intermediate.certificate,
    key: leaf.key,
  });

  async function startAthens(): Promise<ChildProcess> {
    const socket = mirror.front.athensSocket;
    rmSync(socket, { force: true });
    const goCommand = join(machineGo()?.root ?? "", "bin", "go");
    const child = spawn(binary, [], {
      cwd: mirror.root,
      env: {
        PATH: process.env.PATH,
        HOME: mirror.root,
        ATHENS_STORAGE_TYPE: "disk",
        ATHENS_DISK_STORAGE_ROOT: mirror.store,
        ATHENS_UNIX_SOCKET: socket,
        ATHENS_LOG_LEVEL: "error",
        GO_BINARY_PATH: goCommand,
        ATHENS_GO_BINARY_ENV_VARS: `GOPROXY=file://${join(mirror.root, "origin")};GONOSUMDB=*;GOFLAGS=-modcacherw;GOTOOLCHAIN=local`,
      },
      stdio: "ignore",
    });
    for (let tries = 0; !existsSync(socket); tries++) {
      assert.ok(tries < 2400, "Athens does not listen");
      await sleep(50);
    }
    return child;
  }

  async function kill(): Promise<void> {
    if (athens.exitCode !== null || athens.signalCode !== null) return;
    const ended = once(athens, "exit");
    athens.kill("SIGKILL");
    await ended;
  }

  /** What Athens itself says, without the front. */
  function direct(path: string): Promise<Pick<Answer, "status" | "body">> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: mirror.front.athensSocket, path }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  it("fetches cold, serves from the store, and serves on when Athens is killed", async () => {
    const { front } = mirror;
    for (const path of ["example.com/mod", "example.com/!upper"]) {
      const cold = await front.get(`/${path}/@v/v1.0.0.zip`);
      assert.equal(cold.status, 200, `${path}: ${cold.body.toString()}`);
      for (const kind of ["info", "mod", "zip"]) {
        const [ours, its] = [await front.get(`/${path}/@v/v1.0.0.${kind}`), await direct(`/${path}/@v/v1.0.0.${kind}`)];
        assert.deepEqual([ours.status, its.status], [200, 200]);
        assert.ok(ours.body.equals(its.body), `${path} ${kind}`);
      }
    }
    assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.zip`)).headers["x-gomod-source"], "store");
    assert.deepEqual((await front.get(`/${MODULE}/@v/list`)).body.toString().trim().split("\n").sort(), [
      "v1.0.0",
      "v1.1.0",
    ]);
    assert.equal((await front.get(`/${MODULE}/@v/v9.9.9.zip`)).status, 404);

    await kill();
    for (const path of ["example.com/mod", "example.com/!upper"]) {
      for (const kind of ["info", "mod", "zip"]) {
        assert.equal((await front.get(`/${path}/@v/v1.0.0.${kind}`)).status, 200, `${path} ${kind}`);
      }
    }
    assert.equal((await front.get(`/${MODULE}/@v/list`)).status, 200);
    assert.equal((await front.get(`/${MODULE}/@v/v1.1.0.zip`)).status, 502);
    athens = await startAthens();
    assert.equal((await front.get(`/${MODULE}/@v/v1.1.0.zip`)).status, 200);
  });

  it("never answers a half version, which Athens itself does", async () => {
    const { front, store } = mirror;
    const whole = await front.get(`/${MODULE}/@v/v1.0.0.zip`);
    assert.equal(whole.status, 200);
    const folder = join(store, MODULE, "v1.0.0");
    rmSync(join(folder, "v1.0.0.info"));
    truncateSync(join(folder, "source.zip"), 100);
    const half = await direct(`/${MODULE}/@v/v1.0.0.zip`);
    assert.deepEqual(
      [half.status, half.body.length],
      [200, 100],
      "Athens has mended this: the detour over .info can go",
    );
    // A moment in which those who had asked for it together share one answer.
    await sleep(2100);
    const mended = await front.get(`/${MODULE}/@v/v1.0.0.zip`);
    assert.deepEqual([mended.status, mended.body.equals(whole.body)], [200, true], "Athens fetched it again");
    rmSync(join(mirror.root, "origin"), { recursive: true });
    rmSync(join(folder, "v1.0.0.info"), { force: true });
    truncateSync(join(folder, "source.zip"), 100);
    await sleep(6100);
    for (const kind of ["info", "mod", "zip"])
      assert.notEqual((await front.get(`/${MODULE}/@v/v1.0.0.${kind}`)).status, 200, kind);
  });

  it("is what the go command downloads from", () => {
    const { root, ca, front } = mirror;
    const build = join(root, "build");
    mkdirSync(build);
    writeFileSync(join(root, "root.pem"), ca.root.certificate);
    writeFileSync(
      join(build, "go.mod"),
      `module app\n\ngo 1.21\n\nrequire (\n\t${MODULE} v1.1.0\n\texample.com/Upper v1.0.0\n)\n`,
    );
    const env = {
      PATH: process.env.PATH,
      HOME: root,
      GOPROXY: `https://localhost:${front.port}`,
      GONOSUMDB: "*",
      GOFLAGS: "-modcacherw -mod=mod",
      GOTOOLCHAIN: "local",
      SSL_CERT_FILE: join(root, "root.pem"),
    };
    const { status, stderr } = spawnSync(join(machineGo()?.root ?? "", "bin", "go"), ["mod", "download", "all"], {
      cwd: build,
      env,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    assert.match(text(join(build, "go.sum")), /example\.com\/Upper v1\.0\.0 h1:/);
  });
});

/** A module as a `file://` proxy has it. */
async function publish(origin: string, module: string, version: string): Promise<void> {
  const folder = join(
    origin,
    module.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`),
    "@v",
  );
  mkdirSync(folder, { recursive: true });
  const mod = `module ${module}\n\ngo 1.21\n`;
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(mod), `${module}@${version}/go.mod`);
  zip.addBuffer(Buffer.from(`package mod\n\nconst Version = "${version}"\n`), `${module}@${version}/mod.go`);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  writeFileSync(join(folder, `${version}.zip`), Buffer.concat(chunks));
  writeFileSync(join(folder, `${version}.mod`), mod);
  writeFileSync(join(folder, `${version}.info`), JSON.stringify({ Version: version, Time: "2026-01-02T03:04:05Z" }));
  writeFileSync(join(folder, "list"), `${version}\n`, { flag: "a" });
}
