import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GoProxy } from "./goproxy";

const ZIP = "v0.0.1-go1.26.8.linux-amd64.zip";
const OTHER = "v0.0.1-go1.26.7.linux-amd64.zip";

describe("the test hosts' Go proxy", () => {
  const bytes = Buffer.alloc(100_000, "zip");
  let cache: string;
  let proxy: GoProxy;

  const get = (file: string, signal?: AbortSignal) =>
    fetch(`${proxy.url}/golang.org/toolchain/@v/${file}`, signal ? { signal } : {});
  const body = async (file: string) => Buffer.from(await (await get(file)).arrayBuffer());

  beforeEach(async () => {
    cache = mkdtempSync(join(tmpdir(), "gofleet-goproxy-"));
    const folder = join(cache, "golang.org/toolchain/@v");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, ZIP), bytes);
    writeFileSync(join(folder, OTHER), "another version");
    writeFileSync(join(folder, "secret.txt"), "not of the protocol");
    proxy = await GoProxy.start({ cache });
  });

  afterEach(async () => {
    await proxy.stop();
    rmSync(cache, { recursive: true });
  });

  it("serves the cache's files and nothing else, and counts", async () => {
    assert.deepEqual(await body(ZIP), bytes);
    for (const path of ["v0.0.1-go9.9.9.linux-amd64.zip", "secret.txt", "..%2f..%2fsecret.txt", "list"]) {
      assert.equal((await get(path)).status, 404, path);
    }
    assert.equal(proxy.requests.length, 5);
    assert.equal(proxy.downloads, 2);
  });

  it("breaks off in the middle", async () => {
    proxy.fault = { kind: "truncate", bytes: 1000 };
    await assert.rejects(body(ZIP));
  });

  it("ends early as if that were all", async () => {
    proxy.fault = { kind: "truncate", bytes: 1000, silently: true };
    assert.deepEqual(await body(ZIP), bytes.subarray(0, 1000));
  });

  it("sends wrong bytes of the right length", async () => {
    proxy.fault = { kind: "wrong" };
    const got = await body(ZIP);
    assert.equal(got.length, bytes.length);
    assert.equal(got.filter((byte, index) => byte !== bytes[index]).length, 1);
  });

  it("sends another file than asked for", async () => {
    proxy.fault = { kind: "swap", file: OTHER };
    assert.equal((await body(ZIP)).toString(), "another version");
  });

  it("stalls", async () => {
    proxy.fault = { kind: "stall", bytes: 10 };
    const answer = await get(ZIP, AbortSignal.timeout(3000));
    await assert.rejects(answer.arrayBuffer(), { name: "TimeoutError" });
  });

  it("answers with an error as often as told, then as it should", async () => {
    proxy.fault = { kind: "status", code: 503, times: 2 };
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await get(ZIP)).status);
    assert.deepEqual(statuses, [503, 503, 200]);
  });
});
