import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { COMPONENT, file, plan, release, Root, shells, type Event } from "./support";

const drift = (events: readonly Event[]): Record<string, string> =>
  Object.fromEntries(events.filter(({ ev }) => ev === "drift").map(({ path, kind }) => [String(path), String(kind)]));

describe("agent: read", function () {
  const [shell] = shells();
  let root: Root;
  beforeEach(() => (root = new Root(shell)));
  afterEach(() => root.dispose());

  const what = release(
    plan({
      files: [
        ...["kept", "deleted", "edited", "replaced", "relinked", "closed"].map((name) =>
          file(`/etc/demo/${name}`, `${name}\n`),
        ),
        file("/etc/demo/copy", "copy\n", { place: "copy" }),
        file("/etc/demo/copy-mode", "copy\n", { place: "copy" }),
      ],
      symlinks: [{ path: "/etc/demo/verbatim", target: "kept", switched: false }],
      secrets: [{ name: "token", hmac: "ab".repeat(32) }],
      probes: [{ name: "version", timeout: 60, script: "echo 'v \"1\"'\n" }],
    }),
    { token: "s3cret-bytes" },
  );

  it("says absent where nothing is, and leaves nothing behind", async () => {
    const answer = await root.start("read");
    assert.deepEqual([answer.code, answer.result["status"]], [0, "absent"]);
  });

  it("names each kind of drift, with the text of what was edited", async () => {
    assert.equal((await root.run(what)).code, 0);
    const tree = `etc/gofleet/${COMPONENT}/current`;
    assert.deepEqual(drift((await root.start("read")).events), {});

    rmSync(root.at("etc/demo/deleted"));
    writeFileSync(root.at("etc/demo/edited"), 'by hand "quoted"\n');
    rmSync(root.at("etc/demo/replaced"));
    writeFileSync(root.at("etc/demo/replaced"), "a file now\n");
    rmSync(root.at("etc/demo/relinked"));
    symlinkSync("/elsewhere", root.at("etc/demo/relinked"));
    chmodSync(root.at(`${tree}/etc/demo/closed`), 0o600);
    writeFileSync(root.at("etc/demo/copy"), Buffer.from([0, 1, 255, 34, 92]));
    chmodSync(root.at("etc/demo/copy-mode"), 0o666);
    rmSync(root.at("etc/demo/verbatim"));
    mkdirSync(root.at("etc/demo/verbatim"));
    writeFileSync(root.at(`${tree}/etc/demo/stray`), "stray\n");
    rmSync(root.at(`var/lib/gofleet/${COMPONENT}/secrets/${"ab".repeat(32)}`));

    const answer = await root.start("read");
    assert.deepEqual(drift(answer.events), {
      "/etc/demo/deleted": "missing",
      "/etc/demo/edited": "modified",
      "/etc/demo/replaced": "replaced",
      "/etc/demo/relinked": "replaced",
      "/etc/demo/closed": "mode",
      "/etc/demo/copy": "modified",
      "/etc/demo/copy-mode": "mode",
      "/etc/demo/verbatim": "replaced",
      "/etc/demo/stray": "added",
      [`/var/lib/gofleet/${COMPONENT}/secrets/${"ab".repeat(32)}`]: "missing",
    });
    const text = (path: string): string =>
      Buffer.from(String(answer.events.find((event) => event["path"] === path)?.["text"]), "base64").toString("latin1");
    assert.equal(text("/etc/demo/edited"), 'by hand "quoted"\n');
    assert.equal(text("/etc/demo/replaced"), "a file now\n");
    assert.equal(text("/etc/demo/copy"), '\x00\x01\xff"\\');

    rmSync(root.at("etc/demo/verbatim"), { recursive: true });
    const healed = await root.run(what);
    assert.deepEqual([healed.code, healed.result["status"]], [0, "ok"], JSON.stringify(healed));
    assert.deepEqual(drift((await root.start("read")).events), {});
  });

  it("prints every text on request, the owner, the probes, and never a secret", async () => {
    const run = await root.run(what);
    const answer = await root.start("read", { files: "all" });
    const texts = answer.events
      .filter(({ ev }) => ev === "file")
      .map(({ path, text }) => [path, Buffer.from(String(text), "base64").toString()]);
    assert.equal(texts.length, 8);
    assert.deepEqual(
      texts.find(([path]) => path === "/etc/demo/kept"),
      ["/etc/demo/kept", "kept\n"],
    );
    const state = answer.events.find(({ ev }) => ev === "state");
    assert.deepEqual([state?.["release"], state?.["txn"], state?.["decision"]], [what.id, "", ""]);
    assert.deepEqual(answer.events.find(({ ev }) => ev === "probe")?.["out"], 'v "1"');
    assert.ok(!JSON.stringify([run, answer]).includes("s3cret"));
  });
});
