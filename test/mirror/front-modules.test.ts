import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { info, testMirrors, zip, type Setup, type TestMirror } from "../support/front";
import { until } from "../support/until";

const MODULE = "example.com/mod";

describe("the front's modules", function () {
  const make = testMirrors();

  const start = (setup: Setup = {}): Promise<TestMirror> => make(setup).start();

  describe("complete versions", () => {
    it("come from the store, as what they are, without Athens", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      mirror.version(MODULE, "v1.2.3");
      const wanted = {
        info: ["application/json", info("v1.2.3")],
        mod: ["text/plain; charset=UTF-8", `module ${MODULE}\n`],
        zip: ["application/zip", zip(MODULE, "v1.2.3")],
      };
      for (const [kind, [type, body]] of Object.entries(wanted)) {
        const answer = await front.get(`/${MODULE}/@v/v1.2.3.${kind}`);
        assert.deepEqual([answer.status, answer.headers["content-type"]], [200, type]);
        assert.ok(answer.body.equals(Buffer.from(body ?? "")));
        assert.equal(answer.headers["x-gomod-source"], "store");
      }
      assert.deepEqual(athens.paths, []);
    });

    it("may be a go.mod alone, in upper case too, without Athens", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      for (const name of ["example.com/graph/@v/v0.1.0.mod", "example.com/!upper/graph/@v/v0.1.0-!r!c1.mod"]) {
        const file = join(mirror.store, ".gofleet", "mod", name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, "module example.com/graph\n");
        const answer = await front.get(`/${name}`);
        assert.deepEqual([answer.status, answer.body.toString()], [200, "module example.com/graph\n"]);
        assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
        assert.equal((await front.get(`/.gofleet/mod/${name}`)).status, 404);
      }
      assert.deepEqual(
        athens.paths.filter((path) => !path.startsWith("/.gofleet")),
        [],
      );
      // Its other files come as those of any version do.
      athens.answer = mirror.fetches;
      assert.equal((await front.get("/example.com/graph/@v/v0.1.0.zip")).status, 200);
      assert.equal((await front.get("/example.com/graph/@v/v0.1.0.mod")).body.toString(), "module example.com/graph\n");
    });

    it("are answered while Athens is dead, every one", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      const versions = ["v0.0.0-20260102030405-abcdefabcdef", "v1.0.0", "v2.0.0+incompatible", "v1.0.0-rc.1"];
      for (const version of versions) mirror.version(MODULE, version);
      await athens.close();
      for (const version of versions) {
        for (const kind of ["info", "mod", "zip"]) {
          assert.equal((await front.get(`/${MODULE}/@v/${version}.${kind}`)).status, 200, `${version}.${kind}`);
        }
      }
      assert.notEqual((await front.get(`/${MODULE}/@v/v9.0.0.zip`)).status, 200);
    });

    it("come in parts where parts are asked for, from the store and from the cache", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      mirror.version(MODULE, "v1.0.0");
      athens.answer = (path, response) => response.end(path.endsWith(".info") ? info("v1.0.0") : zip("Up", "v1.0.0"));
      const range = { range: "bytes=100-199" };
      const stored = await front.get(`/${MODULE}/@v/v1.0.0.zip`, { headers: range });
      assert.deepEqual([stored.status, stored.headers["content-range"]], [206, "bytes 100-199/4096"]);
      assert.ok(stored.body.equals(zip(MODULE, "v1.0.0").subarray(100, 200)));
      for (const state of ["MISS", "HIT"]) {
        const cached = await front.get("/example.com/!up/@v/v1.0.0.zip", { headers: range });
        assert.deepEqual([cached.status, cached.headers["x-gomod-cache"]], [206, state]);
        assert.ok(cached.body.equals(zip("Up", "v1.0.0").subarray(100, 200)));
      }
    });

    it("are not compressed once more", async () => {
      const mirror = await start();
      const { front } = mirror;
      mirror.version(MODULE, "v1.0.0");
      const answer = await front.get(`/${MODULE}/@v/v1.0.0.zip`, { headers: { "accept-encoding": "gzip" } });
      assert.equal(answer.headers["content-encoding"], undefined);
      assert.equal(answer.headers["content-length"], "4096");
    });

    it("are not taken for complete from an empty .info that Athens is writing", async () => {
      const mirror = await start();
      const { front } = mirror;
      mirror.version(MODULE, "v1.0.0", { "go.mod": "m", "source.zip": "z", "v1.0.0.info": "" });
      const path = `/${MODULE}/@v/v1.0.0.info`;
      await front.get(path);
      mirror.version(MODULE, "v1.0.0", { "v1.0.0.info": info("v1.0.0") });
      await sleep(2100);
      assert.equal((await front.get(path)).body.toString(), info("v1.0.0"), "the empty file was remembered");
    });
  });

  describe("a version without .info", () => {
    it("is never answered from its half, whatever Athens makes of it", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      mirror.version(MODULE, "v1.0.0", { "go.mod": "module half\n", "source.zip": "half" });
      // Athens serves what it finds, complete or not.
      athens.answer = (path, response) => {
        if (!path.endsWith(".info")) return void response.end("half");
        response.statusCode = 404;
        response.end();
      };
      for (const kind of ["info", "mod", "zip"]) {
        const answer = await front.get(`/${MODULE}/@v/v1.0.0.${kind}`);
        assert.equal(answer.status, 404, kind);
        assert.ok(!answer.body.includes("half"));
      }
      assert.ok(
        athens.paths.every((path) => path.endsWith(".info")),
        athens.paths.join(),
      );
      await athens.close();
      for (const kind of ["info", "mod", "zip"]) {
        assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.${kind}`)).status, 502, kind);
      }
    });

    it("is not let in by what Athens said before it broke, alive or dead", async () => {
      const mirror = await start();
      const { front, athens, store } = mirror;
      athens.answer = mirror.fetches;
      assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.zip`)).status, 200);
      rmSync(join(store, MODULE, "v1.0.0", "v1.0.0.info"));
      mirror.version(MODULE, "v1.0.0", { "source.zip": "half" });
      await sleep(2100);
      athens.answer = (_path, response) => void response.writeHead(404).end();
      assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.zip`)).status, 404);
      await athens.close();
      assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.zip`)).status, 502);
    });

    it("is whole when Athens has answered its .info, for names with upper case too", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      mirror.version(MODULE, "v1.0.0", { "go.mod": "module half\n", "source.zip": "half" });
      athens.answer = mirror.fetches;
      const answer = await front.get(`/${MODULE}/@v/v1.0.0.zip`);
      assert.deepEqual([answer.status, answer.headers["x-gomod-source"]], [200, "athens"]);
      assert.ok(answer.body.equals(zip(MODULE, "v1.0.0")));
      assert.deepEqual(athens.paths, [`/${MODULE}/@v/v1.0.0.info`]);

      athens.answer = (path, response) => {
        response.statusCode = path.endsWith(".info") ? 404 : 200;
        response.end("half");
      };
      assert.equal((await front.get("/example.com/!up/@v/v1.0.0.zip")).status, 404);
    });
  });

  describe("what is not in the store", () => {
    it("keeps its spelling: `!` and `+` reach Athens as they came, a query does not", async () => {
      const { front, athens } = await start();
      athens.answer = (_path, response) => response.end("{}");
      const paths = [
        "/github.com/!masterminds/semver/@v/v1.5.0+incompatible.info",
        "/example.com/a/@v/v1.0.0-!r!c1.info",
      ];
      for (const path of paths) assert.equal((await front.get(`${path}?x=1`)).status, 200);
      assert.deepEqual(athens.paths, paths);
    });

    it("is fetched once, however many ask for it at the same time", async () => {
      const { front, athens } = await start();
      athens.answer = (path, response) =>
        void setTimeout(() => response.end(path.endsWith(".info") ? info("v1.0.0") : "Z"), 1000);
      const many = (path: string) => Promise.all(Array.from({ length: 20 }, () => front.get(path)));
      for (const answer of await many("/example.com/!up/@v/v1.0.0.zip")) assert.equal(answer.body.toString(), "Z");
      assert.deepEqual(athens.paths, ["/example.com/!up/@v/v1.0.0.info", "/example.com/!up/@v/v1.0.0.zip"]);
      athens.asked.length = 0;
      await many(`/${MODULE}/@v/list`);
      await many(`/${MODULE}/@v/v1.0.0.info`);
      assert.deepEqual(athens.paths, [`/${MODULE}/@v/list`, `/${MODULE}/@v/v1.0.0.info`]);
    });

    it("is asked for again after a 404", async () => {
      const { front, athens } = await start();
      const paths = [
        `/${MODULE}/@v/v1.0.0.info`,
        `/${MODULE}/@v/list`,
        `/${MODULE}/@latest`,
        "/example.com/!up/@v/v1.0.0.info",
        "/sumdb/sum.golang.org/lookup/example.com/mod@v1.0.0",
      ];
      for (const path of paths) assert.equal((await front.get(path)).status, 404);
      athens.answer = (_path, response) => response.end("{}");
      for (const path of paths) assert.equal((await front.get(path)).status, 200, path);
    });

    it("is forgotten with the store's next generation", async () => {
      const { front, athens } = await start();
      athens.answer = (path, response) => response.end(path.endsWith(".info") ? info("v1.0.0") : "poisoned");
      const path = "/example.com/!up/@v/v1.0.0.zip";
      await front.get(path);
      athens.answer = (path, response) => response.end(path.endsWith(".info") ? info("v1.0.0") : "good");
      assert.equal((await front.get(path)).body.toString(), "poisoned");
      front.nextGeneration(1);
      await front.reload();
      assert.equal((await front.get(path)).body.toString(), "good");
    });

    it("is not written a second time where it is in the store", async () => {
      const mirror = await start();
      const { front } = mirror;
      mirror.version(MODULE, "v1.0.0");
      for (const kind of ["info", "mod", "zip"]) await front.get(`/${MODULE}/@v/v1.0.0.${kind}`);
      const cache = front.path(join(front.place.front.cache, "answers"));
      assert.deepEqual(readdirSync(cache, { recursive: true }), []);
    });

    it("is passed on where Athens redirects", async () => {
      const { front, athens } = await start();
      athens.answer = (path, response) => {
        response.writeHead(302, { location: `https://elsewhere.example${path}` });
        response.end();
      };
      for (const path of [`/${MODULE}/@v/v1.0.0.info`, `/${MODULE}/@v/v1.0.0.zip`, "/example.com/!up/@v/v1.0.0.zip"]) {
        const answer = await front.get(path);
        assert.deepEqual([answer.status, answer.headers.location], [302, `https://elsewhere.example${path}`]);
      }
    });

    it("is Athens' own refusal where Athens refuses", async () => {
      const { front, athens } = await start();
      athens.answer = (_path, response) => {
        response.statusCode = 403;
        response.end();
      };
      for (const kind of ["info", "zip"]) assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.${kind}`)).status, 403);
    });
  });

  describe("lists", () => {
    const paths = [`/${MODULE}/@v/list`, `/${MODULE}/@latest`, `/${MODULE}/@v/main.info`, `/${MODULE}/@v/v1.info`];

    it("are kept for a while though Athens forbids it, then asked for again", async () => {
      const { front, athens } = await start({ args: { fresh: "10 s" } });
      let count = 0;
      athens.answer = (_path, response) => {
        response.setHeader("cache-control", "no-cache, no-store, must-revalidate");
        response.end(String(++count));
      };
      const all = () => Promise.all(paths.map(async (path) => (await front.get(path)).body.toString()));
      const first = await all();
      assert.deepEqual(await all(), first);
      await sleep(11_100);
      for (const [index, answer] of (await all()).entries()) assert.notEqual(answer, first[index], paths[index]);
    });

    it("are answered from old ones while Athens is dead or fails", async () => {
      const { front, athens } = await start({ args: { fresh: "1 s" } });
      athens.answer = (_path, response) => response.end("old");
      for (const path of paths) await front.get(path);
      await sleep(2100);
      athens.answer = (_path, response) => void response.writeHead(500).end();
      assert.equal((await front.get(paths[0] ?? "")).status, 200);
      await athens.close();
      for (const path of paths) {
        const answer = await front.get(path);
        assert.deepEqual(
          [answer.status, answer.body.toString(), answer.headers["x-gomod-cache"]],
          [200, "old", "STALE"],
        );
      }
      assert.equal((await front.get("/example.com/other/@v/list")).status, 502);
    });

    it("do not wait behind a request that refreshes them", async () => {
      const { front, athens } = await start({ args: { fresh: "1 s" } });
      athens.answer = (_path, response) => response.end("old");
      await front.get(paths[0] ?? "");
      await sleep(2100);
      let finish: (() => void) | undefined;
      athens.answer = (_path, response) => (finish = () => void response.end("new"));
      const slow = front.get(paths[0] ?? "");
      await until(() => finish !== undefined);
      assert.equal((await front.get(paths[0] ?? "")).body.toString(), "old");
      finish?.();
      assert.equal((await slow).body.toString(), "new");
    });
  });

  describe("a read-only store", () => {
    it("says so of a version that it lacks, and serves what it has", async () => {
      const mirror = await start();
      const { front, athens } = mirror;
      mirror.version(MODULE, "v1.0.0");
      writeFileSync(front.readOnlyFlag, "");
      for (const kind of ["info", "mod", "zip"]) {
        assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.${kind}`)).status, 200);
        for (const module of [MODULE, "example.com/!up"]) {
          const answer = await front.get(`/${module}/@v/v9.0.0.${kind}`);
          assert.equal(answer.status, 503, `${module} ${kind}`);
          assert.match(answer.body.toString(), /read-only/);
          assert.equal(answer.headers["content-type"], "text/plain");
        }
      }
      athens.answer = (path, response) => response.end(path.endsWith(".info") ? info("v1.0.0") : "Z");
      assert.equal((await front.get("/example.com/!up/@v/v1.0.0.zip")).status, 200);
      rmSync(front.readOnlyFlag);
      athens.answer = mirror.fetches;
      assert.equal((await front.get(`/${MODULE}/@v/v9.0.0.zip`)).status, 200);
    });
  });

  describe("without a store on the host", () => {
    it("keeps versions in the cache, complete ones only", async () => {
      const { front, athens } = await start({ store: false });
      athens.answer = (path, response) => {
        if (path.includes("half") && path.endsWith(".info")) response.statusCode = 404;
        response.end(path.endsWith(".info") ? info("v1.0.0") : "Z");
      };
      assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.zip`)).body.toString(), "Z");
      assert.equal((await front.get("/example.com/half/@v/v1.0.0.zip")).status, 404);
      await athens.close();
      assert.equal((await front.get(`/${MODULE}/@v/v1.0.0.zip`)).headers["x-gomod-cache"], "HIT");
    });
  });
});
