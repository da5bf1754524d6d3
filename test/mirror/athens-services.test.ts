import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AthensArgs } from "../../src/model/mirror/athens";
import { freePort } from "../support/free-ports";
import { needsGo, temporaryDirectory } from "../support/go";
import { moduleProxy } from "../support/module-proxy";
import { skip } from "../support/skip";
import { startAthens, type AthensServer } from "./athens-server";

const SECRET = "h4nter2'$ecret";
const INFO = "/example.com/x/@v/v1.0.0.info";

describe("Athens and the services it is told to use", function () {
  this.timeout(20 * 60_000);
  let folder: string;
  let goEnv: Record<string, string>;
  let running: AthensServer[];
  let children: ChildProcess[];

  before(function () {
    needsGo(this);
  });
  beforeEach(async () => {
    folder = temporaryDirectory();
    running = [];
    children = [];
    await moduleProxy(join(folder, "proxy"), [{ path: "example.com/x", version: "v1.0.0" }]);
    goEnv = { GOPROXY: `file://${join(folder, "proxy")}`, GOSUMDB: "off" };
  });
  afterEach(async () => {
    for (const server of running) await server.stop();
    for (const child of children) await end(child);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (args: AthensArgs, name = "athens") => {
    mkdirSync(join(folder, name), { recursive: true });
    const server = await startAthens(join(folder, name), args);
    running.push(server);
    return server;
  };

  it("signs its requests to S3 with the given keys", async () => {
    const bucket = await Bucket.start();
    try {
      const { get } = await start({
        storage: {
          kind: "s3",
          region: "eu-central-1",
          bucket: "modules",
          endpoint: bucket.url,
          pathStyle: true,
          credentials: { kind: "static", accessKeyId: "AKIDTEST", secretAccessKey: SECRET, sessionToken: SECRET },
        },
        goEnv,
        networkMode: "offline",
      });
      await get("/example.com/x/@v/list");
      assert.match(bucket.requests[0] ?? "", /^GET \/modules\?.*prefix=example\.com%2Fx/);
      assert.match(bucket.authorizations[0] ?? "", /Credential=AKIDTEST\/\d+\/eu-central-1\/s3\//);
      assert.deepEqual(bucket.tokens[0], SECRET);
    } finally {
      await bucket.stop();
    }
  });

  it("makes its bucket in MinIO with the given keys", async () => {
    const bucket = await Bucket.start();
    try {
      const endpoint = new URL(bucket.url).host;
      const storage = { kind: "minio", endpoint, bucket: "modules", region: "eu", tls: false } as const;
      await start({ storage: { ...storage, accessKeyId: "AKIDTEST", secretAccessKey: SECRET }, goEnv });
      assert.match(bucket.requests.join("\n"), /^PUT \/modules\/$/m);
      assert.match(bucket.authorizations[0] ?? "", /Credential=AKIDTEST\//);
    } finally {
      await bucket.stop();
    }
  });

  it("agrees by Redis with another host on who fetches", async function () {
    if (spawnSync("redis-server", ["--version"]).error) skip(this, "there is no redis-server");
    const port = await redis("redis", ["requirepass", SECRET]);
    const args = (password: string): AthensArgs => ({
      storage: { kind: "memory", purpose: "trial" },
      goEnv,
      singleFlight: { kind: "redis", endpoints: [`127.0.0.1:${port}`], password },
    });
    const [one, two] = [await start(args(SECRET), "one"), await start(args(SECRET), "two")];
    const statuses = await Promise.all([one.get(INFO), two.get(INFO)]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [200, 200],
    );
    await assert.rejects(start(args("wrong"), "three"), /WRONGPASS|invalid username-password/);
  });

  it("finds Redis by its sentinels, with the passwords of both", async function () {
    if (spawnSync("redis-sentinel", ["--version"]).error) skip(this, "there is no redis-sentinel");
    const port = await redis("redis", ["requirepass", SECRET]);
    const monitor = ["sentinel", "monitor", "locks", "127.0.0.1", String(port), "1"];
    const sentinel = await redis("sentinel", ["requirepass", "s3ntinel"], monitor, [
      "sentinel",
      "auth-pass",
      "locks",
      SECRET,
    ]);
    const args = (sentinelPassword: string | undefined): AthensArgs => ({
      storage: { kind: "memory", purpose: "trial" },
      goEnv,
      singleFlight: {
        kind: "redis-sentinel",
        endpoints: [`127.0.0.1:${sentinel}`],
        masterName: "locks",
        password: SECRET,
        ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      },
    });
    const { get } = await start(args("s3ntinel"), "one");
    assert.equal((await get(INFO)).status, 200);
    await assert.rejects(start(args(undefined), "two"), /all sentinels specified in configuration are unreachable/);
  });

  /** A Redis, or with `sentinel` as its name a sentinel, on a free port; each setting is a line of words. */
  async function redis(name: string, ...settings: readonly (readonly string[])[]): Promise<number> {
    const port = await freePort("127.0.0.1");
    const directory = join(folder, name);
    mkdirSync(directory);
    const lines = [["port", String(port)], ["bind", "127.0.0.1"], ["dir", directory], ["save", ""], ...settings].filter(
      ([key]) => key !== "save" || name !== "sentinel",
    );
    const file = join(directory, "redis.conf");
    writeFileSync(file, lines.map((words) => `${words.map((word) => JSON.stringify(word)).join(" ")}\n`).join(""));
    children.push(spawn(`redis-${name === "sentinel" ? "sentinel" : "server"}`, [file], { stdio: "ignore" }));
    await accepting(port);
    return port;
  }
});

/** An object store that has nothing and takes everything, and notes what it is asked. */
class Bucket {
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  readonly tokens: (string | string[] | undefined)[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Bucket> {
    const server = createServer();
    const bucket = new Bucket(server);
    server.on("request", (request, response) => {
      bucket.requests.push(`${request.method} ${request.url}`);
      bucket.authorizations.push(request.headers.authorization);
      bucket.tokens.push(request.headers["x-amz-security-token"]);
      const empty = '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>';
      request.resume().on("end", () => response.end(request.method === "GET" ? empty : ""));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return bucket;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

async function accepting(port: number): Promise<void> {
  for (let tries = 0; tries < 2400; tries++) {
    const socket = connect(port, "127.0.0.1");
    const up = await new Promise<boolean>((resolve) => {
      socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    });
    socket.destroy();
    if (up) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
