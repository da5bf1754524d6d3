import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { file, plan, release, Root, shells } from "./support";

const FILE = "/var/log/gofleet/audit.log";
const good = release(plan({ files: [file("/etc/x", "good\n")] }));
const bad = release(
  plan({
    files: [file("/etc/x", "bad\n")],
    probes: [{ name: "no", timeout: 60, script: "echo '\"quoted\"' >&2; exit 1\n" }],
  }),
);
const REQUEST = {
  audit: `journal file:${FILE}`,
  operator: "ada@desk",
  commit: "0123456789abcdef0123456789abcdef01234567",
};

const [shell] = shells();

describe("agent: audit", function () {
  let root: Root;
  beforeEach(() => (root = new Root(shell)));
  afterEach(() => root.dispose());

  const events = (): Record<string, string>[] =>
    root
      .read(FILE)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);

  it("says who changed what, from where to where, and what came of it", async () => {
    await root.run(good, { ...REQUEST, tx: "first" });
    await root.quiet();
    await root.run(good, REQUEST);
    await root.run(bad, { ...REQUEST, tx: "second" });
    await root.quiet();
    await root.run(bad, { ...REQUEST, expect: "0000000000000000" });
    await root.run(good, { ...REQUEST, skipchecks: 1, tx: "third" });
    await root.quiet();
    await root.start("remove", REQUEST);
    const all = events();
    assert.deepEqual(
      all.map(({ action, outcome, from, to }) => [action, outcome, from, to]),
      [
        ["apply", "ok", "", good.id],
        ["apply", "reverted", good.id, bad.id],
        ["apply", "moved", good.id, bad.id],
        ["remove", "removed", good.id, ""],
      ],
    );
    const [, reverted] = all;
    assert.deepEqual(
      [reverted?.["who"], reverted?.["stack"], reverted?.["component"], reverted?.["tx"], reverted?.["commit"]],
      ["ada@desk", "acme/builders/prod", "go", "second", REQUEST.commit],
    );
    assert.match(reverted?.["cause"] ?? "", /^probe no failed: exit code 1: "quoted"$/);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    assert.equal(statSync(root.at(FILE)).mode & 0o777, 0o640);
  });

  it("says why, where somebody said so", async () => {
    await root.run(good, REQUEST);
    await root.quiet();
    await root.run(bad, { ...REQUEST, reason: 'checkout "answers" 500' });
    await root.quiet();
    await root.start("remove", { ...REQUEST, reason: "moved to another rack" });
    assert.deepEqual(
      events().map(({ action, reason }) => [action, reason]),
      [
        ["apply", undefined],
        ["apply", 'checkout "answers" 500'],
        ["remove", "moved to another rack"],
      ],
    );
  });

  it("writes nothing where nobody asked for it", async () => {
    await root.run(good);
    await root.run(bad, { audit: "off" });
    await root.quiet();
    assert.equal(root.has(FILE), false);
  });

  it("posts events, and goes on where nobody takes them", async () => {
    const posts: string[] = [];
    const server: Server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        posts.push(`${request.method ?? ""} ${request.headers["content-type"] ?? ""} ${body.trim()}`);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await root.run(good, { ...REQUEST, audit: `url:http://127.0.0.1:${port}/events` });
      await root.quiet();
    } finally {
      server.close();
    }
    assert.equal(posts.length, 1);
    assert.match(posts[0] ?? "", /^POST application\/json \{"id":/);
    const answer = await root.run(release(plan({ files: [file("/etc/x", "later\n")] })), {
      ...REQUEST,
      audit: `url:http://127.0.0.1:${port}/events file:/etc/x/no/directory`,
    });
    await root.quiet();
    assert.equal(answer.code, 0);
  });
});
