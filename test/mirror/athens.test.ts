import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { AthensArgs } from "../../src/model/mirror/athens";
import { needsGo, temporaryDirectory } from "../support/go";
import { moduleProxy } from "../support/module-proxy";
import { startAthens, type AthensServer } from "./athens-server";

const MODULE = "example.com/Acme/thing";
const WIRE = "example.com/!acme/thing";
const INFO = `/${WIRE}/@v/v1.2.3.info`;
const ZIP = `/${WIRE}/@v/v1.2.3.zip`;

describe("Athens with our configuration", function () {
  this.timeout(20 * 60_000);
  let folder: string;
  let store: string;
  let disk: AthensArgs;
  let goEnv: Record<string, string>;
  let running: AthensServer[] = [];

  const start = async (args: AthensArgs, readOnly?: Record<string, string>, at = folder) => {
    const server = await startAthens(at, args, readOnly);
    running.push(server);
    return server;
  };

  before(function () {
    needsGo(this);
  });

  beforeEach(async () => {
    folder = temporaryDirectory();
    store = join(folder, "store");
    mkdirSync(store);
    const proxy = join(folder, "proxy");
    await moduleProxy(proxy, [
      { path: MODULE, version: "v1.2.3", files: { "thing.go": "package thing\n" } },
      { path: "example.com/other", version: "v0.1.0" },
    ]);
    writeFileSync(join(proxy, WIRE, "@v", "list"), "v1.2.3\n");
    writeFileSync(join(proxy, "example.com/other", "@v", "list"), "v0.1.0\n");
    goEnv = { GOPROXY: `file://${proxy}`, GOSUMDB: "off" };
    disk = { storage: { kind: "disk", path: store as `/${string}`, max: "1 GiB" }, goEnv };
  });

  afterEach(async () => {
    for (const server of running) await server.stop();
    running = [];
    rmSync(folder, { recursive: true, force: true });
  });

  it("fetches into a store on disk and leaves nothing else behind", async () => {
    const { get, paths } = await start(disk);
    const info = await get(INFO);
    assert.equal(info.status, 200);
    assert.deepEqual((JSON.parse(info.body.toString()) as { Version: string }).Version, "v1.2.3");
    const version = join(store, MODULE, "v1.2.3");
    assert.deepEqual(readdirSync(version).sort(), ["go.mod", "source.zip", "v1.2.3.info"]);
    assert.deepEqual((await get(ZIP)).body, readFileSync(join(version, "source.zip")));
    assert.equal((await get(`/${WIRE}/@v/list`)).body.toString().trim(), "v1.2.3");
    assert.deepEqual(readdirSync(paths.fetch), []);
    // The go command counts its own runs there.
    assert.deepEqual(readdirSync(paths.home), [".config"]);
  });

  it("listens on its socket only", async () => {
    const { paths, log } = await start(disk);
    assert.ok(statSync(paths.socket).isSocket());
    assert.match(log(), /"unixSocket":/);
    assert.doesNotMatch(log(), /tcpPort/);
  });

  it("keeps modules in memory, to try", async () => {
    const { get } = await start({ storage: { kind: "memory", purpose: "trial" }, goEnv });
    assert.equal((await get(ZIP)).status, 200);
    assert.equal(existsSync(join(store, MODULE)), false);
  });

  it("keeps modules in an external storage, with its credentials", async () => {
    const stub = await ExternalStub.start();
    try {
      const { get } = await start({ storage: { kind: "external", url: stub.url("fleet", "p4ss word") }, goEnv });
      const zip = await get(ZIP);
      assert.equal(zip.status, 200);
      assert.ok(stub.requests.includes(`POST /${WIRE}/@v/v1.2.3.save`), stub.requests.join("\n"));
      assert.deepEqual(stub.credentials, new Set([`Basic ${Buffer.from("fleet:p4ss word").toString("base64")}`]));
    } finally {
      await stub.stop();
    }
  });

  it("reports to Prometheus, or to nobody", async () => {
    const { get } = await start(disk);
    await get(INFO);
    assert.match((await get("/metrics")).body.toString(), /^proxy_/m);
    await running.pop()?.stop();
    const silent = await start({ ...disk, stats: "none" });
    assert.equal((await silent.get("/metrics")).status, 404);
  });

  it("lets the keeper stop all fetching, whatever the settings", async () => {
    const { get } = await start(disk, { ATHENS_DOWNLOAD_MODE: "none", ATHENS_NETWORK_MODE: "offline" });
    assert.equal((await get(INFO)).status, 404);
    assert.equal((await get(`/${WIRE}/@latest`)).status, 404);
    await running.pop()?.stop();
    const writable = await start(disk);
    assert.equal((await writable.get(INFO)).status, 200);
    await running.pop()?.stop();
    const again = await start(disk, { ATHENS_DOWNLOAD_MODE: "none", ATHENS_NETWORK_MODE: "offline" });
    assert.equal((await again.get(ZIP)).status, 200);
  });

  it("fetches only what is on the allow-list", async () => {
    const { get } = await start({ ...disk, downloadMode: { only: ["example.com/Acme/*"] } });
    assert.equal((await get(INFO)).status, 200);
    assert.equal((await get("/example.com/other/@v/v0.1.0.info")).status, 404);
  });

  it("sends clients elsewhere", async () => {
    const downloadMode = {
      mode: "redirect",
      url: "https://proxy.corp.example/go",
      rules: [{ modules: "example.com/Acme/*", mode: "sync" }],
    } as const;
    const { get } = await start({ ...disk, downloadMode });
    const other = await get("/example.com/other/@v/v0.1.0.info");
    assert.equal(other.headers.location, "https://proxy.corp.example/go/example.com/other/@v/v0.1.0.info");
    assert.equal((await get(INFO)).status, 200);
  });

  it("answers below a prefix, with our robots.txt and page", async () => {
    const { paths, get } = await start({ ...disk, pathPrefix: "/go", robots: "x", homeTemplate: "x" });
    writeFileSync(paths.robots, "User-agent: *\nDisallow: /\n");
    writeFileSync(paths.homeTemplate, "<p>ours</p>");
    assert.equal((await get(`/go${INFO}`)).status, 200);
    assert.match((await get("/go/robots.txt")).body.toString(), /Disallow/);
    assert.match((await get("/go/")).body.toString(), /ours/);
  });

  it("asks the validator before it answers", async () => {
    const asked: string[] = [];
    const hook = createServer((request, response) => {
      request.on("data", (part: Buffer) => asked.push(part.toString()));
      request.on("end", () => response.writeHead(asked.join().includes("Acme") ? 403 : 200).end());
    });
    hook.listen(0, "127.0.0.1");
    await once(hook, "listening");
    const { port } = hook.address() as AddressInfo;
    try {
      const { get } = await start({ ...disk, validatorHook: `http://127.0.0.1:${port}/check` });
      assert.equal((await get(INFO)).status, 403);
      assert.deepEqual(JSON.parse(asked.join("")), { Module: MODULE, Version: "v1.2.3" });
    } finally {
      hook.closeAllConnections();
      hook.close();
    }
  });

  it("has the credentials in its home, and nowhere else", async () => {
    const netrc = "machine git.corp.example login fleet password p4ss";
    const { paths } = await start({ ...disk, private: { netrc, hgrc: "[auth]\n" } });
    assert.deepEqual(readdirSync(paths.home).sort(), [".config", ".hgrc", ".netrc"]);
    assert.equal(readFileSync(join(paths.home, ".netrc"), "utf8"), `${netrc}\n`);
    assert.equal(statSync(join(paths.home, ".netrc")).mode & 0o777, 0o600);
    await running.pop()?.stop();
    const token = await start({ ...disk, private: { githubToken: "ghp_x" } });
    assert.equal(readFileSync(join(token.paths.home, ".netrc"), "utf8"), "machine github.com login ghp_x\n");
  });

  it("ends by itself when it is asked to, and needs its old socket gone only after it was killed", async () => {
    const first = await start(disk);
    assert.equal(await first.stop(), 0);
    assert.equal(existsSync(first.paths.socket), false);
    writeFileSync(first.paths.socket, "");
    await assert.rejects(start(disk), /address already in use/);
  });

  it("does not fetch again what the storage has, when upstream is gone", async () => {
    const { get } = await start({ ...disk, networkMode: "fallback" });
    assert.equal((await get(ZIP)).status, 200);
    rmSync(join(folder, "proxy"), { recursive: true });
    assert.equal((await get(ZIP)).status, 200);
    assert.equal((await get(`/${WIRE}/@v/list`)).body.toString().trim(), "v1.2.3");
  });
});

/** A storage server as Athens' external storage wants one. See https://docs.gomods.io/configuration/storage/. */
class ExternalStub {
  readonly requests: string[] = [];
  readonly credentials = new Set<string | undefined>();
  private readonly files = new Map<string, Buffer>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ExternalStub> {
    const server = createServer();
    const stub = new ExternalStub(server);
    server.on("request", (request, response) => {
      const path = request.url ?? "";
      stub.requests.push(`${request.method} ${path}`);
      stub.credentials.add(request.headers.authorization);
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        if (request.method === "POST") stub.save(path, request.headers["content-type"] ?? "", Buffer.concat(parts));
        const found = request.method === "POST" ? Buffer.alloc(0) : stub.files.get(path);
        response.writeHead(found ? 200 : 404, { "content-length": found?.length ?? 0 }).end(found);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return stub;
  }

  url(user: string, password: string): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  /** A form of three files, `mod.info`, `mod.mod` and `mod.zip`. */
  private save(path: string, type: string, body: Buffer): void {
    const boundary = /boundary=(\S+)/.exec(type)?.[1] ?? "";
    for (const part of body.toString("latin1").split(`--${boundary}`)) {
      const [, extension] = /name="mod\.(info|mod|zip)"/.exec(part) ?? [];
      const content = part.slice(part.indexOf("\r\n\r\n") + 4, -2);
      if (extension) this.files.set(path.replace(/save$/, extension), Buffer.from(content, "latin1"));
    }
  }
}
