import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { once } from "node:events";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TestAuthority } from "../support/certificates";
import { info, testMirrors, zip, type Setup, type TestMirror } from "../support/front";
import { temporaryDirectory } from "../support/go";
import { TestUpstream } from "../support/nginx";

const MODULE = "example.com/mod";
const NAMES = ["one", "two", "three"] as const;

describe("the front's tiers", function () {
  const make = testMirrors();
  let tiers: TestUpstream[];
  let ports: number[];
  beforeEach(async () => {
    tiers = NAMES.map((name) => new TestUpstream((_path, response) => response.end(name)));
    ports = [];
    for (const tier of tiers) ports.push(await tier.listen());
  });
  afterEach(async () => {
    for (const tier of tiers) await tier.close();
  });

  const list = () => NAMES.map((name, index) => ({ name, url: `http://127.0.0.1:${ports[index]}` }));
  const tier = (index: number) => tiers[index] ?? assert.fail();

  async function start(fallback: object = {}, context: Setup["context"] = {}): Promise<TestMirror> {
    const args = { fresh: "1 s", fallback: { tiers: list(), after: "1 s", ...fallback } } as const;
    return make({ args, context }).start();
  }

  /** Who answered, by the header and by the body. */
  let serial = 0;
  async function answered({ front }: TestMirror, path?: string, from?: string): Promise<string> {
    const { status, headers, body } = await front.get(path ?? `/example.com/mod${++serial}/@v/list`, { from });
    const named = headers["x-gomod-source"];
    if (status === 200 && named !== "store") assert.equal(body.toString(), named);
    return status === 200 ? String(named) : String(status);
  }

  const faults: Record<string, (upstream: TestUpstream) => Promise<void> | void> = {
    "is dead": (upstream) => upstream.close(),
    "says 500": (upstream) => void (upstream.answer = (_path, response) => void response.writeHead(500).end()),
    "says 502": (upstream) => void (upstream.answer = (_path, response) => void response.writeHead(502).end()),
    "says 503": (upstream) => void (upstream.answer = (_path, response) => void response.writeHead(503).end()),
    "says 504": (upstream) => void (upstream.answer = (_path, response) => void response.writeHead(504).end()),
    "never answers": (upstream) => void (upstream.answer = () => undefined),
    "hangs up": (upstream) => void (upstream.answer = (_path, response) => void response.destroy()),
  };
  for (const [name, fault] of Object.entries(faults)) {
    it(`are asked in order while one ${name}, and not any more when it is well`, async () => {
      const started = await start();
      const { athens } = started;
      const healthy = (athens.answer = (_path, response) => response.end("athens"));
      assert.equal(await answered(started), "athens");
      await fault(athens);
      assert.equal(await answered(started), "one");
      await fault(tier(0));
      assert.equal(await answered(started), "two");
      await fault(tier(1));
      assert.equal(await answered(started), "three");
      assert.equal(await answered(started), "three", "tiers are in order, not in turn");

      tier(1).answer = (_path, response) => response.end("two");
      if (name === "is dead") await tier(1).listen(undefined, ports[1]);
      assert.equal(await answered(started), "two");
      tier(0).answer = (_path, response) => response.end("one");
      if (name === "is dead") await tier(0).listen(undefined, ports[0]);
      assert.equal(await answered(started), "one");
      athens.answer = healthy;
      if (name === "is dead") {
        rmSync(started.front.athensSocket, { force: true });
        await started.athensUp();
      }
      assert.equal(await answered(started), "athens");
      for (const upstream of tiers) upstream.asked.length = 0;
      await answered(started);
      assert.deepEqual(
        tiers.flatMap(({ paths }) => paths),
        [],
        "a tier was asked though Athens is well",
      );
    });
  }

  it("serve versions too, of every spelling, and what is in the store still comes from there", async () => {
    const started = await start();
    started.version(MODULE, "v1.0.0");
    for (const fault of ["says 500", "is dead"]) {
      await faults[fault]?.(started.athens);
      for (const kind of ["info", "mod", "zip"]) {
        assert.equal(await answered(started, `/${MODULE}/@v/v1.0.0.${kind}`), "store");
        assert.equal(await answered(started, `/${MODULE}/@v/v1.1.${++serial}.${kind}`), "one");
        assert.equal(await answered(started, `/example.com/!up/@v/v1.1.${++serial}.${kind}`), "one");
      }
      assert.equal(await answered(started, `/example.com/mod${++serial}/@latest`), "one");
      assert.equal(await answered(started, `/${MODULE}/@v/branch${++serial}.info`), "one");
    }
  });

  it("are not asked where Athens knows that there is no such version", async () => {
    const started = await start();
    assert.equal(await answered(started, `/${MODULE}/@v/v9.0.0.zip`), "404");
    assert.equal(await answered(started, `/${MODULE}/@v/list`), "404");
    assert.deepEqual(
      tiers.flatMap(({ paths }) => paths),
      [],
    );
  });

  it("have the last word when they know that there is no such version", async () => {
    const started = await start();
    await started.athens.close();
    tier(0).answer = (_path, response) => void response.writeHead(404).end();
    assert.equal(await answered(started, `/${MODULE}/@v/v9.0.0.zip`), "404");
    assert.deepEqual(tier(1).paths, []);
  });

  it("are asked for what a read-only store lacks", async () => {
    const started = await start();
    writeFileSync(started.front.readOnlyFlag, "");
    assert.equal(await answered(started, `/${MODULE}/@v/v9.0.0.zip`), "one");
    assert.equal(await answered(started, "/example.com/!up/@v/v9.0.0.zip"), "one");
    assert.equal(await answered(started, "/example.com/!up/@v/v9.0.0.info"), "one");
  });

  it("fresh answer goes before an old one of Athens, an old one before none", async () => {
    const started = await start();
    started.athens.answer = (_path, response) => response.end("athens");
    const path = `/${MODULE}/@v/list`;
    assert.equal(await answered(started, path), "athens");
    await started.athens.close();
    await sleep(2100);
    assert.equal(await answered(started, path), "one");
    for (const each of tiers) await each.close();
    await sleep(2100);
    const old = await started.front.get(path);
    assert.deepEqual([old.body.toString(), old.headers["x-gomod-cache"]], ["athens", "STALE"]);
    assert.equal(await answered(started, `/${MODULE}/@latest`), "502");
    assert.equal(await answered(started, `/${MODULE}/@v/v1.0.0.zip`), "502");
  });

  it("get neither credentials, cookies nor regions of the client, nor a query", async () => {
    const started = await start({}, {});
    await started.athens.close();
    const headers = {
      authorization: "Basic Y2k6c2VjcmV0",
      cookie: "session=1",
      "x-region": "eu",
      "x-gomod-region": "eu",
      "proxy-authorization": "x",
    };
    await started.front.get(`/${MODULE}/@v/list?token=secret`, { headers });
    const [asked] = tier(0).asked;
    assert.equal(asked?.path, `/${MODULE}/@v/list`);
    const allowed = ["connection", "host", "user-agent", "x-forwarded-for", "x-forwarded-proto", "x-request-id"];
    assert.deepEqual(
      Object.keys(asked?.headers ?? {}).filter((name) => !allowed.includes(name)),
      [],
    );
    assert.equal(asked?.headers.host, `127.0.0.1:${ports[0]}`);
  });

  it("are checked by their certificates", async () => {
    const folder = temporaryDirectory();
    const ca = new TestAuthority(join(folder, "ca"));
    const serve = async (leaf: ReturnType<TestAuthority["leaf"]>) => {
      const server = createServer({ cert: ca.chain(leaf), key: leaf.key }, (_request, response) =>
        response.end("secure"),
      );
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return { server, url: `https://localhost:${(server.address() as AddressInfo).port}` };
    };
    const wrong = await serve(ca.leaf("elsewhere.example"));
    const right = await serve(ca.leaf("localhost"));
    writeFileSync(join(folder, "ca.pem"), ca.root.certificate);
    try {
      const both = [
        { name: "wrong", url: wrong.url },
        { name: "secure", url: right.url },
      ];
      const started = await start({ tiers: both, caFile: join(folder, "ca.pem") });
      await started.athens.close();
      assert.equal(await answered(started), "secure");
    } finally {
      for (const { server } of [wrong, right]) server.close();
      rmSync(folder, { recursive: true });
    }
  });

  describe("by region", () => {
    const regions = {
      east: { ranges: ["127.0.1.0/24"], tiers: ["three", "one"] },
      west: { ranges: ["127.0.0.0/16", "::1/128"], tiers: ["two"] },
      lonely: { ranges: ["127.0.1.9/32"], tiers: [] },
    };

    it("are in the order of the client's network, the narrowest one", async () => {
      const started = await start({ regions });
      await started.athens.close();
      const from = (address: string) => answered(started, undefined, address);
      assert.equal(await from("127.1.0.1"), "one");
      assert.equal(await from("127.0.0.1"), "two");
      assert.equal(await from("127.0.1.1"), "three");
      assert.equal(await from("127.0.1.9"), "502");
      await tier(2).close();
      assert.equal(await from("127.0.1.1"), "one");
      await tier(1).close();
      assert.equal(await from("127.0.0.1"), "502", "a tier that its region does not name was asked");
    });

    it("cannot be chosen by the client", async () => {
      const started = await start({ regions });
      await started.athens.close();
      const headers = {
        "x-region": "region-east",
        "x-forwarded-for": "127.0.1.1",
        "x-real-ip": "127.0.1.1",
        forwarded: "for=127.0.1.1",
      };
      const answer = await started.front.get(`/${MODULE}/@v/list`, { headers });
      assert.equal(answer.headers["x-gomod-source"], "two");
      assert.equal(tier(1).asked[0]?.headers["x-forwarded-for"], "127.0.0.1");
    });
  });

  describe("and private modules", () => {
    const privateModules = ["git.corp.example/*", "*.internal.example", "github.com/MyOrg/*"];
    const PRIVATE = [
      "git.corp.example/team/secret",
      "git.corp.example/team",
      "a.internal.example/x",
      "a.internal.example",
      "github.com/!my!org/secret",
      "github.com/!my!org/secret/v2",
    ];
    const PUBLIC = [
      "git.corp.example.org/x",
      "github.com/other/secret",
      "example.com/git.corp.example/x",
      "notgit.corp.example/x",
    ];
    const files = ["@v/list", "@latest", "@v/v1.0.0.info", "@v/v1.0.0.mod", "@v/v1.0.0.zip", "@v/main.info"];

    it("never meet, whatever fails and however the name is spelled", async () => {
      const started = await start({}, { privateModules });
      for (const fault of ["says 500", "is dead"]) {
        await faults[fault]?.(started.athens);
        for (const module of [
          ...PRIVATE,
          "%67it.corp.example/team/secret",
          "x/../git.corp.example/team",
          "github.com/%21my%21org/secret",
          "github.com/MyOrg/secret",
          "GIT.corp.example/team/x",
        ]) {
          for (const file of files) {
            const answer = await started.front.get(`/${module}/${file}`);
            assert.ok(answer.status >= 400, `${module}/${file}: ${answer.status}`);
          }
        }
        assert.deepEqual(
          tiers.flatMap(({ paths }) => paths),
          [],
        );
      }
    });

    it("meet where a name is not private after all", async () => {
      const started = await start({}, { privateModules });
      await started.athens.close();
      for (const module of PUBLIC) {
        for (const file of files)
          assert.equal(await answered(started, `/${module}/${file}`), "one", `${module}/${file}`);
      }
    });

    it("are still served by this host", async () => {
      const started = await start({}, { privateModules });
      started.athens.answer = (path, response) => response.end(path.endsWith(".info") ? info("v1.0.0") : "athens");
      assert.equal((await started.front.get("/git.corp.example/team/secret/@v/list")).status, 200);
      assert.equal((await started.front.get("/github.com/!my!org/secret/@v/v1.0.0.zip")).status, 200);
      started.version("git.corp.example/x", "v1.0.0");
      await started.athens.close();
      assert.ok(
        (await started.front.get("/git.corp.example/x/@v/v1.0.0.zip")).body.equals(zip("git.corp.example/x", "v1.0.0")),
      );
      const list = "/git.corp.example/team/secret/@v/list";
      await sleep(2100);
      assert.equal((await started.front.get(list)).headers["x-gomod-cache"], "STALE");
    });

    it("are not asked of a checksum database, in any spelling", async () => {
      const started = await start({}, { privateModules });
      started.athens.answer = (_path, response) => response.end("note");
      const lookup = (module: string) => `/sumdb/sum.golang.org/lookup/${module}@v1.0.0`;
      const spellings = [
        ...PRIVATE,
        "%67it.corp.example/team",
        "GIT.CORP.EXAMPLE/team",
        "github.com/MyOrg/secret",
        "github.com/my!org/x",
        "github.com/%21my%21org/secret",
      ];
      for (const module of spellings) assert.equal((await started.front.get(lookup(module))).status, 403, module);
      assert.equal((await started.front.get("/sumdb/other.example/lookup/git.corp.example/x@v1.0.0")).status, 403);
      assert.equal((await started.front.get("/sumdb/sum.golang.org/lookup/git.corp.example/x@latest")).status, 403);
      assert.ok((await started.front.get("/sumdb/sum.golang.org/lookup//git.corp.example/x@v1.0.0")).status >= 400);
      assert.deepEqual(started.athens.paths, []);
      for (const module of PUBLIC) assert.equal((await started.front.get(lookup(module))).status, 200, module);
    });
  });
});
