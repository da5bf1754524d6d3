import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { listing } from "./listing";
import { COMPONENT, file, plan, release, Root, shells, until, type Event } from "./support";

const names = (events: readonly Event[], ev: string, field: string): unknown[] =>
  events.filter((event) => event.ev === ev).map((event) => event[field]);

const first = release(
  plan({
    files: [
      file("/etc/profile.d/go.sh", "export GOPROXY=one\n"),
      file("/etc/demo/a.conf", "a one\n"),
      file("/etc/demo/only-first.conf", "x\n"),
      file("/etc/cron.d/demo", "# one\n", { place: "copy", mode: "0600" }),
    ],
    symlinks: [
      { path: "/usr/local/bin/tool", target: "/opt/tools/one/tool", switched: true },
      { path: "/etc/demo/wants/a", target: "../a.conf", switched: false },
    ],
    probes: [{ name: "reads", timeout: 60, script: 'cat "$GOFLEET_ROOT/etc/demo/a.conf"\n' }],
  }),
);
const second = release(
  plan({
    files: [
      file("/etc/profile.d/go.sh", "export GOPROXY=two\n"),
      file("/etc/demo/a.conf", "a two\n"),
      file("/etc/new/only-second.conf", "y\n", { mode: "0640" }),
      file("/etc/cron.d/demo", "# two\n", { place: "copy", mode: "0644" }),
    ],
    symlinks: [{ path: "/usr/local/bin/tool", target: "/opt/tools/two/tool", switched: true }],
    probes: [{ name: "reads", timeout: 60, script: 'cat "$GOFLEET_ROOT/etc/demo/a.conf"\n' }],
  }),
);

for (const shell of shells()) {
  describe(`agent under ${shell.name}: apply`, function () {
    let root: Root;
    beforeEach(() => (root = new Root(shell)));
    afterEach(() => root.dispose());

    it("puts a release on, says `same` the second time, and switches both ways", async () => {
      const on = await root.run(first);
      assert.deepEqual([on.code, on.result["status"], on.result["current"]], [0, "ok", first.id], JSON.stringify(on));
      assert.deepEqual(names(on.events, "probe", "out"), ["a one"]);
      assert.equal(root.read("etc/profile.d/go.sh"), "export GOPROXY=one\n");
      assert.equal(
        readlinkSync(root.at("etc/profile.d/go.sh")),
        `../../etc/gofleet/${COMPONENT}/current/etc/profile.d/go.sh`,
      );
      assert.equal(readlinkSync(root.at("etc/demo/wants/a")), "../a.conf");
      assert.equal(lstatSync(root.at("etc/cron.d/demo")).mode & 0o7777, 0o600);
      assert.ok(lstatSync(root.at("etc/cron.d/demo")).isFile());

      const before = listing(root.path);
      const same = await root.run(first);
      assert.equal(same.result["status"], "same");
      assert.deepEqual(names(same.events, "probe", "out"), ["a one"]);
      assert.deepEqual(listing(root.path), before, "`same` writes nothing");

      const up = await root.run(second);
      assert.deepEqual([up.code, up.result["from"], up.result["current"]], [0, first.id, second.id]);
      assert.equal(root.read("etc/cron.d/demo"), "# two\n");
      assert.equal(lstatSync(root.at("etc/cron.d/demo")).mode & 0o7777, 0o644);
      assert.equal(statSync(root.at("etc/new/only-second.conf")).mode & 0o7777, 0o640);
      assert.ok(!root.has("etc/demo/only-first.conf") && !existsSync(root.at("etc/demo/wants")));

      const down = await root.run(first);
      assert.deepEqual([down.code, down.result["current"]], [0, first.id]);
      assert.equal(root.read("etc/cron.d/demo"), "# one\n");
      assert.ok(!existsSync(root.at("etc/new")), "a directory made for the second release is gone");
    });

    it("leaves a full listing as it was after remove, displaced things included", async () => {
      mkdirSync(root.at("etc/demo"), { recursive: true });
      writeFileSync(root.at("etc/demo/a.conf"), "by hand\n", { mode: 0o604 });
      mkdirSync(root.at("usr/local/bin"), { recursive: true });
      symlinkSync("somewhere", root.at("usr/local/bin/tool"));
      const before = listing(root.path);
      assert.equal((await root.run(first)).code, 0);
      assert.equal(root.read("etc/demo/a.conf"), "a one\n");
      assert.equal((await root.run(second)).code, 0);
      const off = await root.start("remove");
      assert.deepEqual([off.code, off.result["status"]], [0, "removed"]);
      assert.deepEqual(listing(root.path), before);
      assert.equal((await root.start("remove")).result["status"], "absent");
    });

    it("goes back when a probe fails, and takes a first release off again", async () => {
      const bad = release(
        plan({
          files: [file("/etc/demo/a.conf", "a bad\n")],
          probes: [{ name: "fails", timeout: 60, script: "echo seen; echo 'why \"it\" failed' >&2; exit 3\n" }],
        }),
      );
      const none = await root.run(bad);
      assert.deepEqual([none.code, none.result["status"], none.result["current"]], [21, "failed", ""]);
      assert.match(String(none.result["msg"]), /probe fails failed: exit code 3: why "it" failed/);
      assert.ok(!existsSync(root.at("etc/demo")));

      assert.equal((await root.run(first)).code, 0);
      const back = await root.run(bad);
      assert.deepEqual([back.code, back.result["status"], back.result["current"]], [20, "reverted", first.id]);
      assert.equal(root.read("etc/demo/a.conf"), "a one\n");
      assert.equal(root.read("etc/cron.d/demo"), "# one\n");
      assert.ok(!root.has(`etc/gofleet/${COMPONENT}/txn`));
    });

    it("gives a probe its time and no more", async () => {
      const slow = release(
        plan({ files: [file("/etc/a", "a")], probes: [{ name: "slow", timeout: 1, script: "sleep 300\n" }] }),
      );
      const answer = await root.run(slow);
      assert.equal(answer.code, 21);
      assert.match(String(answer.result["msg"]), /no answer in 1 s/);
    });

    it("waits for a confirmation, takes it again where its answer was lost, and goes back without", async () => {
      const guarded = (text: string) => release(plan({ files: [file("/etc/demo/a.conf", text)], confirm: 4 }));
      const on = await root.run(guarded("one\n"), { tx: "t1", confirm: 300 });
      assert.deepEqual([on.code, on.result["status"]], [0, "unconfirmed"]);
      const confirmed = await root.start("confirm", { tx: "t1" });
      assert.deepEqual([confirmed.code, confirmed.result["status"]], [0, "ok"], JSON.stringify(confirmed));
      const again = await root.start("confirm", { tx: "t1" });
      assert.deepEqual([again.code, again.result["status"], again.result["current"]], [0, "ok", guarded("one\n").id]);
      assert.equal((await root.start("confirm", { tx: "t9" })).code, 66);

      const two = await root.run(guarded("two\n"), { tx: "t2" });
      assert.deepEqual([two.result["status"], two.result["current"]], ["unconfirmed", guarded("two\n").id]);
      await until(() => root.read("etc/demo/a.conf") === "one\n" && !root.has(`etc/gofleet/${COMPONENT}/txn`));
      assert.match(root.read(`var/lib/gofleet/${COMPONENT}/decision`), /cause not confirmed in time/);
      assert.equal((await root.start("confirm", { tx: "t2" })).code, 65);

      assert.equal((await root.run(guarded("three\n"), { tx: "t3", confirm: 300 })).result["status"], "unconfirmed");
      const back = await root.start("revert", { tx: "t3" });
      assert.deepEqual([back.code, root.read("etc/demo/a.conf")], [20, "one\n"]);
      const followed = await root.start("follow", { tx: "t3", from: 1 });
      assert.equal(followed.code, 20);
    });

    it("stages without switching, goes back to a release that is still there, and runs hooks", async () => {
      assert.equal((await root.run(first)).code, 0);
      const staged = await root.run(second, { stageonly: 1 });
      assert.deepEqual([staged.code, staged.result["status"], staged.result["current"]], [0, "staged", first.id]);
      assert.equal((await root.run(second)).code, 0);
      const back = await root.run({ ...first, entries: new Map() });
      assert.deepEqual([back.code, back.result["current"]], [0, first.id], JSON.stringify(back));
      const gone = await root.run({ id: "0123456789abcdef", manifest: "", entries: new Map() });
      assert.equal(gone.code, 11);

      const good = await root.start("hook", { deadline: 60 }, new Map([["hook", "echo fine\n"]]));
      assert.deepEqual([good.code, good.result["msg"]], [0, "fine"]);
      const bad = await root.start("hook", { deadline: 60 }, new Map([["hook", "echo no >&2; exit 7\n"]]));
      assert.deepEqual([bad.code, bad.result["msg"]], [1, "exit code 7: no"]);
      const slow = await root.start("hook", { deadline: 1 }, new Map([["hook", "sleep 300\n"]]));
      assert.match(String(slow.result["msg"]), /longer than 1 s/);
    });

    it("keeps the last releases and runs, and forgets older ones", async () => {
      for (let n = 0; n < 5; n++)
        assert.equal((await root.run(release(plan({ files: [file("/etc/n", `${n}\n`)] })), { keep: 2 })).code, 0);
      await root.quiet();
      assert.equal(readdirSync(root.at(`etc/gofleet/${COMPONENT}/releases`)).length, 2);
    });

    it("asks for another run where what it staged is gone before it has the lock", async () => {
      assert.equal((await root.run(first)).code, 0);
      const swept = await root.run(
        second,
        { pause: "staged" },
        {
          onEvent: ({ ev, go }: Event) => {
            if (ev !== "paused") return;
            rmSync(root.at(`etc/gofleet/${COMPONENT}/releases/${second.id}`), { recursive: true });
            writeFileSync(String(go), "");
          },
        },
      );
      assert.deepEqual([swept.code, root.current()], [75, first.id]);
      assert.equal((await root.run(second)).code, 0);
    });
  });
}
