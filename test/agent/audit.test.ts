import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { BOOT, FakeSystemd } from "./fake-systemd";
import { file, groupOf, plan, release, Root, shells, until } from "./support";

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

  it("says what became of a release that waits for a confirmation: confirmed, taken back, or not confirmed in time", async () => {
    await root.run(good, REQUEST);
    await root.quiet();
    for (const verb of ["confirm", "revert"] as const) {
      const next = release(plan({ files: [file("/etc/x", `${verb}\n`)] }));
      const waits = await root.run(next, { ...REQUEST, confirm: 60, tx: verb });
      assert.equal(waits.result["status"], "unconfirmed");
      await root.quiet();
      // As the operator asks it: the sinks and who it is are the run's.
      await root.start(verb, { tx: verb });
      await root.quiet();
    }
    const late = release(plan({ files: [file("/etc/x", "late\n")] }));
    const waits = await root.run(late, { ...REQUEST, confirm: 1, tx: "late" });
    assert.equal(waits.result["status"], "unconfirmed");
    await until(() => events().length === 4);
    assert.deepEqual(
      events()
        .map(({ action, outcome, tx, who, cause }) => [action, outcome, tx, who, cause])
        .slice(1),
      [
        ["confirm", "ok", "confirm", "ada@desk", events()[1]?.["cause"]],
        ["revert", "reverted", "revert", "ada@desk", "asked to by the operator"],
        ["revert", "reverted", "late", "ada@desk", "not confirmed in time"],
      ],
    );
  });

  it("says what the host settled by itself after a reboot", async () => {
    const host = new FakeSystemd(shell, BOOT);
    try {
      await host.run(good, REQUEST);
      await host.root.quiet();
      const waits = await host
        .run(bad, { ...REQUEST, tx: "cut", pause: "probing" }, ({ ev }, cut) => {
          if (ev !== "paused") return;
          const pid = Number(host.root.read("var/lib/gofleet/go/runs/cut/pid"));
          process.kill(-groupOf(pid), "SIGKILL");
          cut();
        })
        .catch(() => undefined);
      assert.notEqual(waits?.code, 0);
      await host.root.quiet();
      await host.ask("boot").catch(() => undefined);
      const last = JSON.parse(host.root.read(FILE).trimEnd().split("\n").at(-1) ?? "") as Record<string, string>;
      assert.deepEqual(
        [last["action"], last["outcome"], last["from"], last["to"], last["who"], last["tx"]],
        ["boot", "reverted", bad.id, good.id, "ada@desk", "cut"],
      );
      assert.equal(last["cause"], "the host was restarted in phase activating");
    } finally {
      host.root.dispose();
    }
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
