import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { DOMAIN, testMirrors, zip, type Setup, type TestMirror } from "../support/front";
import { TestUpstream } from "../support/nginx";

const MODULE = "example.com/mod";

describe("the front's other paths", function () {
  const make = testMirrors();

  const start = (setup: Setup = {}): Promise<TestMirror> => make(setup).start();

  describe("the door", () => {
    it("is closed for what is not the clients'", async () => {
      const { front, athens } = await start();
      athens.answer = (_path, response) => response.end("open");
      for (const path of ["/catalog", "/index", "/metrics", "/readyz", "/version", "/%63atalog"]) {
        assert.equal((await front.get(path)).status, 403, path);
      }
      const odd = [
        "/",
        "/robots.txt",
        "//catalog",
        "/catalog/",
        "/.gomod/info",
        "/example.com//a/@v/list",
        "/example.com/A/@v/list",
        "/example.com/a/@v/v1.0.0.ziphash",
        "/example.com/a/@v/x.zip",
        "/sumdb/evil.example/latest",
        "/sumdb/sum.golang.org/x",
        // In the request that goes on to Athens the line break would end the line.
        "/example.com/a/@v/list%0A",
        "/example.com/a/@v/v1.0.0.zip%0A",
        "/example.com/!a/@v/v1.0.0.info%0A",
        "/sumdb/sum.golang.org/latest%0A",
        "/sumdb/sum.golang.org/tile/8/0/000%0A",
      ];
      for (const path of odd) assert.equal((await front.get(path)).status, 404, path);
      assert.deepEqual(athens.paths, []);
      assert.equal((await front.get("/healthz")).body.toString(), "ok\n");
    });

    it("does not let a path out of the store", async () => {
      const mirror = await start();
      const { front } = mirror;
      writeFileSync(join(mirror.root, "secret"), "secret");
      for (const path of [
        "/../secret",
        "/%2e%2e/secret",
        "/example.com/@v/../../../../secret",
        "/a%00/@v/v1.0.0.zip",
        "/..%2f..%2fsecret/@v/v1.0.0.mod",
      ]) {
        const { status, body } = await front.get(path);
        assert.ok(status >= 400 && !body.includes("secret"), path);
      }
    });

    it("takes GET and HEAD, and nothing that writes", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      mirror.version(MODULE, "v1.0.0");
      const paths = [
        `/${MODULE}/@v/v1.0.0.zip`,
        `/${MODULE}/@v/v2.0.0.zip`,
        "/example.com/!up/@v/v1.0.0.zip",
        `/${MODULE}/@v/list`,
        "/sumdb/sum.golang.org/latest",
        "/healthz",
      ];
      for (const path of paths) {
        for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
          assert.equal((await front.get(path, { method })).status, 405, `${method} ${path}`);
        }
      }
      assert.deepEqual(athens.paths, []);
      const head = await front.get(paths[0] ?? "", { method: "HEAD" });
      assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, "4096", 0]);
    });

    it("speaks HTTP/2", async () => {
      const mirror = await start();
      const { front } = mirror;
      mirror.version(MODULE, "v1.0.0");
      const session = connect(`https://127.0.0.1:${front.port}`, { ca: mirror.files.ca, servername: DOMAIN });
      try {
        const stream = session.request({ ":path": `/${MODULE}/@v/v1.0.0.zip`, ":authority": DOMAIN });
        const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
        assert.equal(headers[":status"], 200);
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        assert.ok(Buffer.concat(chunks).equals(zip(MODULE, "v1.0.0")));
      } finally {
        session.close();
      }
    });
  });

  it("passes the checksum database on through Athens, and keeps what never changes", async () => {
    const { front, athens } = await start();
    athens.answer = (path, response) => response.end(path);
    const paths = [
      "/sumdb/sum.golang.org/supported",
      "/sumdb/sum.golang.org/latest",
      "/sumdb/sum.golang.org/lookup/github.com/!masterminds/semver@v1.5.0+incompatible",
      "/sumdb/sum.golang.org/tile/8/0/x001/234",
      "/sumdb/sum.golang.org/tile/8/0/x001/235.p/17",
      "/sumdb/sum.golang.org/tile/8/data/x001/234",
    ];
    for (const path of [...paths, ...paths]) assert.equal((await front.get(path)).body.toString(), path);
    assert.deepEqual(athens.paths, paths);
  });

  it("asks another proxy for the checksum database where the network lets out to that one only", async () => {
    const proxy = new TestUpstream((path, response) => response.end(path));
    const through = `http://127.0.0.1:${await proxy.listen()}/go`;
    const context = { privateModules: ["git.corp.example/*"] };
    const { front, athens } = await start({ args: { sumdb: { through } }, context });
    const path = "/sumdb/sum.golang.org/lookup/example.com/a@v1.0.0";
    const answer = await front.get(path);
    assert.deepEqual([answer.body.toString(), answer.headers["x-gomod-source"]], [`/go${path}`, "sumdb"]);
    assert.equal((await front.get("/sumdb/sum.golang.org/lookup/git.corp.example/x@v1.0.0")).status, 403);
    assert.deepEqual(proxy.paths, [`/go${path}`]);
    assert.deepEqual(athens.paths, []);
    await proxy.close();
  });

  it("tells the host's own monitoring how it is, on loopback", async () => {
    const { front, athens } = await start();
    athens.answer = (path, response) => response.end(path);
    assert.match((await front.status("/status")).body, /Active connections/);
    assert.equal((await front.status("/metrics/athens")).body, "/metrics");
    assert.equal((await front.status("/metrics/store")).status, 404);
    front.put(front.place.keeper.metrics, "gofleet_store_bytes 1\n");
    const metrics = await front.status("/metrics/store");
    assert.deepEqual([metrics.status, metrics.body], [200, "gofleet_store_bytes 1\n"]);
    assert.match(metrics.type ?? "", /^text\/plain; version=0\.0\.4/);
    assert.equal((await front.status("/readyz")).status, 200);
    writeFileSync(front.readOnlyFlag, "");
    assert.equal((await front.status("/readyz")).status, 503);
    assert.ok(existsSync(front.path(join(front.place.front.cache, "answers"))));
  });
});
