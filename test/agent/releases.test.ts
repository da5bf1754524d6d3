import assert from "node:assert/strict";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { listing } from "./listing";
import { COMPONENT, file, plan, release, Root, shells, type Answer, type Release } from "./support";

const config = (text: string): Release => release(plan({ files: [file("/etc/demo/a.conf", text)] }));
const [one, two, three, four] = ["1\n", "2\n", "3\n", "4\n"].map(config) as [Release, Release, Release, Release];
const kept = ({ events }: Answer): string[] => events.filter(({ ev }) => ev === "release").map(({ id }) => String(id));
const of = ({ events }: Answer, { id }: Release) =>
  events.find((event) => event.ev === "release" && event["id"] === id);

for (const shell of shells()) {
  describe(`agent: kept releases (${shell.name})`, function () {
    let root: Root;
    beforeEach(() => (root = new Root(shell)));
    afterEach(async () => {
      await root.quiet();
      root.dispose();
    });

    it("are listed, the newest first, with who put each on and from what; nothing is changed by it", async () => {
      await root.run(one, { operator: "ann@desk", commit: "a".repeat(40), snapshot: "v1.0.0" });
      await root.run(two, { operator: "bob@desk", commit: "b".repeat(40) });
      await root.quiet();
      const before = listing(root.path);
      const answer = await root.start("releases");
      assert.equal(answer.code, 0, answer.stderr);
      assert.deepEqual(listing(root.path), before);
      assert.deepEqual(kept(answer), [two.id, one.id]);
      const first = of(answer, one);
      assert.match(String(first?.["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(first, {
        ev: "release",
        id: one.id,
        time: first?.["time"],
        operator: "ann@desk",
        commit: "a".repeat(40),
        snapshot: "v1.0.0",
        behind: "",
        current: false,
        whole: true,
      });
      assert.equal(of(answer, two)?.["current"], true);
    });

    it("keep what brought them when the host goes back to them, and the last one to do it", async () => {
      await root.run(one, { operator: "ann@desk", commit: "a".repeat(40), snapshot: "v1.0.0" });
      await root.run(two, { operator: "bob@desk" });
      const back = await root.run({ ...one, entries: new Map() }, { operator: "cy@desk", skipchecks: 1 });
      assert.equal(back.code, 0, JSON.stringify(back.result));
      const record = of(await root.start("releases"), one);
      assert.deepEqual(
        [record?.["operator"], record?.["commit"], record?.["snapshot"], record?.["current"]],
        ["cy@desk", "a".repeat(40), "v1.0.0", true],
      );
    });

    it("are not whole where a file was changed, or a secret is gone", async () => {
      const secret = "e".repeat(64);
      const closed = release(
        plan({ files: [file("/etc/demo/a.conf", "5\n")], secrets: [{ name: "token", hmac: secret }] }),
        { token: "hunter2" },
      );
      await root.run(one);
      await root.run(closed);
      await root.run(two);
      await root.quiet();
      assert.equal(of(await root.start("releases"), closed)?.["whole"], true);
      writeFileSync(root.at(`etc/gofleet/${COMPONENT}/releases/${one.id}/etc/demo/a.conf`), "by hand\n");
      rmSync(root.at(`var/lib/gofleet/${COMPONENT}/secrets/${secret}`));
      const answer = await root.start("releases");
      assert.deepEqual(
        [one, closed, two].map((each) => of(answer, each)?.["whole"]),
        [false, false, true],
      );
    });

    it("go with their records, but for protected ones", async () => {
      for (const each of [one, two, three]) await root.run(each, { keep: 2, protected: `${one.id},${"f".repeat(16)}` });
      await root.quiet();
      assert.deepEqual(kept(await root.start("releases")), [three.id, two.id, one.id]);
      await root.run(four, { keep: 2 });
      await root.quiet();
      assert.deepEqual(kept(await root.start("releases")), [four.id, three.id]);
      assert.ok(!root.has(`var/lib/gofleet/${COMPONENT}/releases/${one.id}`), "a record without its release");
    });

    it("of an older agent have their directory's time", async () => {
      await root.run(one);
      rmSync(root.at(`var/lib/gofleet/${COMPONENT}/releases`), { recursive: true });
      utimesSync(root.at(`etc/gofleet/${COMPONENT}/releases/${one.id}`), 1_700_000_000, 1_700_000_000);
      assert.equal(of(await root.start("releases"), one)?.["time"], "2023-11-14T22:13:20Z");
    });

    it("are none where the component is not there; a list of ids that is none is refused", async () => {
      const answer = await root.start("releases");
      assert.deepEqual([answer.code, answer.result["status"], kept(answer)], [0, "absent", []]);
      const refused = await root.run(one, { protected: "../x" });
      assert.deepEqual([refused.code, refused.result["msg"]], [11, "request: protected '../x' is not a list of ids"]);
    });
  });
}
