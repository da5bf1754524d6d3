import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request, type RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { connect } from "node:tls";
import { said } from "../hosts/programs";
import { type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { until } from "../support/until";
import { DOMAIN, STORE, Surroundings } from "./support/mirror-host";

const COMPONENT = "gofleet-test-goproxy";
const unit = (part: string) => `gofleet-${COMPONENT}-${part}`;

/** In the store from the start; its zip is larger than what buffers on the way hold. */
const LARGE = "/golang.org/x/text/@v/v0.14.0";
const DOWNLOADS = 200;
/** Seconds in which Athens gives up a fetch. */
const STASH = 10;

/** One mirror on a real host, and what goes wrong around it. */
describe("a module mirror in trouble, on a real host", function () {
  this.timeout(600_000);
  let around: Surroundings;
  let server: Host;
  let stack: TestStack;

  const program = (leaf = around.leaf) =>
    around.program(server, {
      tls: { certificate: around.authority.chain(leaf), key: leaf.key, ca: around.authority.root.certificate },
      athens: { timeouts: { stash: `${STASH} s` } },
      store: { watchEvery: "2 s", repairEvery: "1 min" },
    });
  const stored = (path: string) => readFileSync(join(server.rootDir, STORE, path));
  const options = (path: string): RequestOptions => ({
    ...{ host: server.address, path, headers: { host: DOMAIN } },
    ...{ servername: DOMAIN, ca: around.authority.root.certificate },
  });

  before(async function () {
    around = await Surroundings.start(this);
    server = await around.host("mirror");
    stack = await TestStack.create(program());
    await stack.up();
    assert.equal((await get(`${LARGE}.zip`)).status, 200);
  });

  afterEach(() => {
    if (around) around.upstream.fault = undefined;
  });

  after(async () => {
    stack?.remove();
    await around?.stop();
  });

  /** An answer of which nothing but the headers has been read. */
  async function open(path: string, agent: Agent | false = false): Promise<IncomingMessage> {
    const sent = request({ ...options(path), agent });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return response.pause();
  }

  async function get(path: string, agent?: Agent): Promise<{ status: number; body: Buffer }> {
    const response = await open(path, agent);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
  }

  /** What clients get of a version that is not stored, file by file; nothing of it may be in the store afterwards. */
  async function refused(path: string): Promise<number[]> {
    const statuses: number[] = [];
    for (const file of ["info", "mod", "zip"]) statuses.push((await get(`${path}.${file}`)).status);
    const [module = "", version = ""] = path.slice(1).split("/@v/");
    assert.equal(await server.exec(`find ${STORE} -path '${STORE}/${module}/${version}*'`), "");
    return statuses;
  }

  async function recovers(path: string): Promise<void> {
    around.upstream.fault = undefined;
    for (const file of ["info", "mod", "zip"]) assert.equal((await get(`${path}.${file}`)).status, 200, file);
    const [module = "", version = ""] = path.slice(1).split("/@v/");
    assert.deepEqual((await get(`${path}.zip`)).body, stored(`${module}/${version}/source.zip`));
  }

  /** The serial number of the certificate that a new connection sees. */
  async function serial(): Promise<string> {
    const socket = connect({
      host: server.address,
      port: 443,
      servername: DOMAIN,
      ca: around.authority.root.certificate,
    });
    await once(socket, "secureConnect");
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return new X509Certificate(raw).serialNumber;
  }

  describe("with an upstream that", () => {
    for (const [code, path] of [
      [403, "/golang.org/x/sync/@v/v0.6.0"],
      [500, "/golang.org/x/sync/@v/v0.7.0"],
    ] as const) {
      it(`answers ${code}: the client hears of it, and nothing is stored`, async () => {
        around.upstream.fault = { kind: "status", code };
        for (const status of await refused(path)) assert.ok([404, 500, 502].includes(status), String(status));
        await recovers(path);
      });
    }

    it("breaks zips off: no client gets a part of one", async () => {
      const path = "/golang.org/x/time/@v/v0.3.0";
      around.upstream.fault = { kind: "truncate" };
      for (const status of await refused(path)) assert.ok([404, 500, 502].includes(status), String(status));
      await recovers(path);
    });

    it("is slow: the client waits for it, as long as Athens does", async () => {
      const path = "/golang.org/x/time/@v/v0.4.0";
      around.upstream.fault = { kind: "slow", wait: 1000 };
      assert.equal((await get(`${path}.zip`)).status, 200);
      around.upstream.fault = { kind: "slow", wait: (STASH + 30) * 1000 };
      const began = Date.now();
      const { status } = await get("/golang.org/x/time/@v/v0.7.0.zip");
      assert.ok([404, 500, 502, 504].includes(status), String(status));
      assert.ok(Date.now() - began < (STASH + 20) * 1000, `${Date.now() - began} ms`);
      await recovers("/golang.org/x/time/@v/v0.7.0");
    });
  });

  it("serves what it has while Athens is killed under load, and Athens comes back", async () => {
    const before = await server.exec(`systemctl show -p MainPID --value ${unit("athens")}`);
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    const counts = new Map<number, number>();
    let over = false;
    const load = Array.from({ length: 32 }, async (_, index) => {
      const file = index % 2 === 0 ? "mod" : "info";
      while (!over) {
        const { status } = await get(`${LARGE}.${file}`, agent);
        counts.set(status, (counts.get(status) ?? 0) + 1);
      }
    });
    for (let kills = 0; kills < 3; kills++) {
      await server.run(`systemctl kill --signal=KILL ${unit("athens")}`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await until(() => (counts.get(200) ?? 0) > 100);
    over = true;
    await Promise.all(load);
    agent.destroy();
    assert.deepEqual([...counts.keys()], [200]);
    const waiting = `for i in $(seq 400); do systemctl is-active -q ${unit("athens")} && break; sleep 0.2; done`;
    await server.exec(`${waiting}; systemctl is-active ${unit("athens")}`);
    assert.notEqual(await server.exec(`systemctl show -p MainPID --value ${unit("athens")}`), before);
    await recovers("/golang.org/x/time/@v/v0.8.0");
  });

  it(`takes a new certificate during ${DOWNLOADS} open downloads and breaks none`, async () => {
    const downloads = await Promise.all(Array.from({ length: DOWNLOADS }, () => open(`${LARGE}.zip`)));
    const master = await server.exec(`systemctl show -p MainPID --value ${unit("nginx")}`);
    const before = await serial();
    const renewed = around.authority.leaf(DOMAIN);
    stack.program = program(renewed);
    await stack.up();
    assert.notEqual(await serial(), before);
    assert.equal(await serial(), new X509Certificate(renewed.certificate).serialNumber);
    assert.equal(await server.exec(`systemctl show -p MainPID --value ${unit("nginx")}`), master);
    const draining = await server.exec(`pgrep -cf 'worker process is shutting down' || :`);
    assert.notEqual(draining.trim(), "0", "every download was over before the reload");
    const whole = stored("golang.org/x/text/v0.14.0/source.zip");
    for (const download of downloads) {
      let at = 0;
      for await (const chunk of download as AsyncIterable<Buffer>) {
        assert.ok(chunk.equals(whole.subarray(at, at + chunk.length)));
        at += chunk.length;
      }
      assert.equal(at, whole.length);
    }
  });

  it("refuses a certificate that has ended or is another's, at preview", async () => {
    const ended = around.authority.leaf(DOMAIN, { days: -1 });
    stack.program = program(ended);
    assert.match(said(await stack.preview({ expect: "failure" })), /certificate.*ended/s);
    stack.program = program(around.authority.leaf("other.test.example"));
    assert.match(said(await stack.preview({ expect: "failure" })), /other\.test\.example|goproxy\.test\.example/);
    stack.program = program();
    await stack.preview();
  });

  it("finds a poisoned zip by itself, and fetches it again", async () => {
    const file = "golang.org/x/time/v0.5.0/source.zip";
    const other = "golang.org/x/time/v0.6.0/source.zip";
    for (const version of ["v0.5.0", "v0.6.0"]) await recovers(`/golang.org/x/time/@v/${version}`);
    const good = stored(file);
    // A whole zip, of another version. What is new could still be being written, so
    // it is not; at its next repair the keeper reads what changed.
    const version = file.replace(/[^/]*$/, "");
    await server.exec(`cd ${STORE} && cat ${other} >${file} && touch -d '1 hour ago' ${version}* ${version}`);
    await server.exec(`for i in $(seq 400); do [ -e ${STORE}/${file} ] || exit 0; sleep 0.2; done; exit 1`);
    // A run that removed something reloads nginx at its end, which closes connections that have not asked yet.
    await server.exec(`systemctl start ${unit("store")} && sleep 2`);
    assert.match(await server.exec(`journalctl -o cat -u ${unit("store")}`), /removed golang\.org\/x\/time@v0\.5\.0: /);
    assert.deepEqual((await get("/golang.org/x/time/@v/v0.5.0.zip")).body, good);
    assert.deepEqual(stored(file), good);
  });
});
