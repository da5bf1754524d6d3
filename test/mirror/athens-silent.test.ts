import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AthensArgs } from "../../src/model/mirror/athens";
import { checkAthens } from "../../src/model/mirror/athens-check";
import { needsGo, temporaryDirectory } from "../support/go";
import { moduleProxy } from "../support/module-proxy";
import { ATHENS_CASES } from "./athens-cases";
import { understood, understoodModes } from "./athens-probe";
import { startAthens } from "./athens-server";

const goEnv = { GOPROXY: "https://proxy.corp.example" };
const memory: AthensArgs = { storage: { kind: "memory", purpose: "trial" }, goEnv };
const { s3, minio, azureblob } = ATHENS_CASES;

/** Args as a program without types may hand them over. */
const untyped = (args: object) => args as AthensArgs;

/** What Athens starts with and says nothing about: the args, and where we refuse them. */
const STARTS: Record<string, [args: AthensArgs, path: string]> = {
  "no time for a fetch": [{ ...memory, timeouts: { stash: "0 s" } }, "timeouts.stash"],
  "more time for a fetch than a request has": [{ ...memory, timeouts: { stash: "1 h" } }, "timeouts.stash"],
  "fetches that take every worker": [{ ...memory, workers: { fetch: 10, request: 5 } }, "workers.request"],
  "a trace exporter that it does not know": [
    untyped({ ...memory, tracing: { exporter: "otlp", url: "http://otel:4317" } }),
    "tracing.exporter",
  ],
  "an exporter of statistics that it does not know": [untyped({ ...memory, stats: "otlp" }), "stats"],
  "a path in a checksum database": [{ ...memory, sumDatabases: ["https://a.example/sumdb/x"] }, "sumDatabases[0]"],
  "a redirect to nowhere": [{ ...memory, downloadMode: { mode: "redirect" } }, "downloadMode.url"],
  "a pattern that never matches": [{ ...memory, downloadMode: { only: ["a.example/"] } }, "downloadMode.only[0]"],
  "a module cache that only grows": [{ ...memory, goEnv: { ...goEnv, GOMODCACHE: "/x" } }, "goEnv.GOMODCACHE"],
  "an upstream that is none": [{ ...memory, goEnv: { GOPROXY: "off" } }, "goEnv.GOPROXY"],
  "another toolchain": [{ ...memory, goEnv: { ...goEnv, GOTOOLCHAIN: "auto" } }, "goEnv.GOTOOLCHAIN"],
};

/** What Athens' own check of its configuration takes; to start with it needs a service. */
const TAKES: Record<string, [args: AthensArgs, path: string, hosts?: number]> = {
  "a lock that ends before the fetch": [
    { ...s3, singleFlight: { ...s3.singleFlight, lock: { ttl: "1 min" } } },
    "singleFlight.lock.ttl",
  ],
  "a fetch longer than azure's lock": [{ ...azureblob, timeouts: { stash: "15 min" } }, "timeouts.stash"],
  "a scheme where minio wants none": [
    { ...minio, storage: { ...minio.storage, endpoint: "https://minio:9000", tls: false } },
    "storage.endpoint",
  ],
  "two hosts with a store each": [ATHENS_CASES.disk, "storage.kind", 2],
  "two hosts without a common lock": [ATHENS_CASES["s3-role"], "singleFlight.kind", 2],
  "a password that ends the database's settings": [
    { ...minio, index: { ...minio.index, password: "x sslmode=disable" } },
    "index.password",
  ],
  "several servers of one redis": [
    { ...s3, singleFlight: { ...s3.singleFlight, cluster: false } },
    "singleFlight.endpoints",
  ],
};

describe("what Athens takes without a word and we refuse", function () {
  this.timeout(20 * 60_000);
  let folder: string;

  before(function () {
    needsGo(this);
  });
  beforeEach(() => (folder = temporaryDirectory()));
  afterEach(() => folder && rmSync(folder, { recursive: true, force: true }));

  const refusedAt = (args: AthensArgs, hosts = 1) => checkAthens("", args, { hosts }).map(({ path }) => path);

  for (const [name, [args, path]] of Object.entries(STARTS)) {
    it(`${name}: it starts`, async () => {
      assert.deepEqual(refusedAt(args), [path]);
      const server = await startAthens(folder, args);
      assert.equal(await server.stop(), 0);
    });
  }

  for (const [name, [args, path, hosts]] of Object.entries(TAKES)) {
    it(`${name}: it finds nothing wrong`, async () => {
      assert.ok(refusedAt(args, hosts).includes(path), refusedAt(args, hosts).join());
      assert.equal((await understood(folder, args)).error, undefined);
    });
  }

  it("a redirect to nowhere goes round in a circle", async () => {
    const server = await startAthens(folder, STARTS["a redirect to nowhere"]?.[0] ?? memory);
    const path = "/example.com/x/@v/v1.0.0.info";
    assert.equal((await server.get(path)).headers.location, path);
    await server.stop();
  });

  it("no time for a fetch means none is ever done", async () => {
    const proxy = join(folder, "proxy");
    mkdirSync(proxy);
    await moduleProxy(proxy, [{ path: "example.com/x", version: "v1.0.0" }]);
    writeFileSync(join(proxy, "example.com/x", "@v", "list"), "v1.0.0\n");
    const args: AthensArgs = { ...memory, goEnv: { GOPROXY: `file://${proxy}`, GOSUMDB: "off" } };
    const statusOf = async (given: AthensArgs) => {
      const server = await startAthens(folder, given);
      const { status } = await server.get("/example.com/x/@v/v1.0.0.info");
      await server.stop();
      return status;
    };
    assert.equal(await statusOf(args), 200);
    rmSync(join(folder, "credentials"), { recursive: true });
    assert.notEqual(await statusOf({ ...args, timeouts: { stash: "0 s" } }), 200);
  });

  it("patterns that never match", async () => {
    const rule = (pattern: string) => `mode = "sync"\ndownloadURL = ""\ndownload "${pattern}" {\n  mode = "none"\n}\n`;
    const refused = ["https://a.example/x", "a.example/x/", "a.example/!x", "a.example/[x", "/a.example/x"];
    const module = "a.example/x";
    for (const pattern of refused) {
      const [read] = await understoodModes([rule(pattern)], module);
      assert.equal(read?.error, undefined, pattern);
      assert.equal(read?.modules[module]?.mode, "sync", pattern);
      assert.deepEqual(refusedAt({ ...memory, downloadMode: { only: [pattern] } }), ["downloadMode.only[0]"]);
    }
    const [read] = await understoodModes([rule(module)], module);
    assert.equal(read?.modules[module]?.mode, "none");
  });
});
