import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { TestAuthority } from "../support/certificates";
import { info, TestMirror, testMirrors, type Setup } from "../support/front";
import { text } from "../support/nginx";
import { until } from "../support/until";
import { join } from "node:path";

const MODULE = "example.com/mod";
const PASSWORD = "k3V9mZpQ7xTfLw2RbN8sHdYc";

describe("the front's access", function () {
  const make = testMirrors();

  async function start(setup: Setup): Promise<TestMirror> {
    const mirror = make(setup);
    mirror.version(MODULE, "v1.0.0");
    mirror.athens.answer = (path, response) => response.end(path.endsWith(".info") ? info("v1.0.0") : "athens");
    return mirror.start();
  }

  const users = { users: { ci: PASSWORD } };
  const passwords = { ci: PASSWORD };
  const basic = (user: string, password: string) => ({
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
  });
  const PATHS = [
    ...["info", "mod", "zip"].flatMap((kind) => [
      `/${MODULE}/@v/v1.0.0.${kind}`,
      `/${MODULE}/@v/v2.0.0.${kind}`,
      `/example.com/!up/@v/v1.0.0.${kind}`,
    ]),
    ...[
      `/${MODULE}/@v/list`,
      `/${MODULE}/@latest`,
      "/sumdb/sum.golang.org/latest",
      "/sumdb/sum.golang.org/lookup/example.com/a@v1.0.0",
    ],
  ];

  it("by password guards every path, and nobody without one makes Athens work", async () => {
    const mirror = await start({ args: { access: users }, files: { passwords } });
    const { front, athens } = mirror;
    for (const path of PATHS) {
      const answer = await front.get(path);
      assert.deepEqual([answer.status, answer.headers["www-authenticate"]], [401, 'Basic realm="modules"'], path);
      assert.equal((await front.get(path, basic("ci", `${PASSWORD}x`))).status, 401);
      assert.equal((await front.get(path, basic("root", PASSWORD))).status, 401);
    }
    assert.deepEqual(athens.paths, []);
    mirror.version(MODULE, "v2.0.0");
    for (const path of PATHS) assert.equal((await front.get(path, basic("ci", PASSWORD))).status, 200, path);
    assert.equal((await front.get("/healthz")).status, 200, "load balancers have no password");
    assert.ok(athens.asked.every(({ headers }) => headers.authorization === undefined));
  });

  it("by certificate guards every path", async () => {
    const clients = (folder: string) => new TestAuthority(join(folder, "clients"));
    const other = new TestMirror();
    const ca = clients(other.root);
    const [good, bad] = [ca.issue("ops", {}, ca.root), other.ca.leaf("stranger")];
    await other.stop();
    const access = { clientCa: "given" };
    const { front, athens } = await start({ args: { access }, files: { clientCa: ca.root.certificate } });
    for (const path of PATHS) assert.equal((await front.get(path)).status, 400, path);
    assert.equal((await front.get(PATHS[0] ?? "", { certificate: bad })).status, 400);
    assert.deepEqual(athens.paths, []);
    assert.equal((await front.get(PATHS[0] ?? "", { certificate: good })).status, 200);

    const both = await start({
      args: { access: { ...users, ...access } },
      files: { passwords, clientCa: ca.root.certificate },
    });
    assert.equal((await both.front.get(PATHS[0] ?? "")).status, 401);
    assert.equal((await both.front.get(PATHS[0] ?? "", { certificate: good })).status, 200);
    assert.equal((await both.front.get(PATHS[0] ?? "", basic("ci", PASSWORD))).status, 200);
  });

  it("leaves no credentials in the logs", async () => {
    const { front, root, athens } = await start({ args: { access: users }, files: { passwords }, context: {} });
    const log = join(root, "access.log");
    await athens.close();
    for (const path of [`/${MODULE}/@v/v1.0.0.zip?token=${PASSWORD}`, `/${MODULE}/@v/v2.0.0.zip?token=${PASSWORD}`]) {
      await front.get(path, basic("ci", PASSWORD));
      await front.get(path, basic("ci", `${PASSWORD}x`));
    }
    await until(() => text(log).trim().split("\n").length === 4);
    const encoded = Buffer.from(`ci:${PASSWORD}`).toString("base64").slice(0, 20);
    const lines = text(log).trim().split("\n");
    assert.equal(lines.length, 4);
    for (const line of lines) {
      const entry = JSON.parse(line) as Record<string, unknown>;
      assert.ok(!line.includes(PASSWORD) && !line.includes(encoded), line);
      assert.equal(typeof entry.status, "number");
    }
    assert.equal((JSON.parse(lines[0] ?? "") as Record<string, unknown>).source, "store");
  });

  it("logs what is notable only, where nothing else was asked for", async () => {
    const { front, log } = await start({});
    await front.reload({ args: { domain: "goproxy.test", tls: { certificate: "", key: "" }, log: { file: log } } });
    await front.get(`/${MODULE}/@v/v1.0.0.zip`);
    await front.get(`/${MODULE}/@v/v1.0.0.zip`, { headers: { range: "bytes=0-1" } });
    await front.get("/healthz");
    assert.equal(existsSync(log) ? text(log) : "", "");
    await front.get("/example.com/!up/@v/v1.0.0.zip");
    await front.get("/example.com/!up/@v/v1.0.0.zip");
    await front.get("/catalog");
    await until(() => existsSync(log) && text(log).includes("/catalog"));
    const entries = text(log)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { path: string; status: number });
    assert.deepEqual(
      entries.map(({ path, status }) => [path, status]),
      [
        ["/example.com/!up/@v/v1.0.0.zip", 200],
        ["/catalog", 403],
      ],
    );
  });

  it("is bounded for one address where bounds are set", async () => {
    const { front } = await start({ args: { limits: { requests: 5, burst: 5 } } });
    const burst = await Promise.all(Array.from({ length: 30 }, () => front.get(`/${MODULE}/@v/v1.0.0.zip`)));
    const statuses = burst.map(({ status }) => status);
    assert.ok(statuses.filter((status) => status === 200).length >= 5);
    assert.ok(statuses.includes(429), statuses.join());
    const other = await front.get(`/${MODULE}/@v/v1.0.0.zip`, { from: "127.0.0.9" });
    assert.equal(other.status, 200, "another address has bounds of its own");
  });
});
