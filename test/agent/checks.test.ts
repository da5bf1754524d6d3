/** Checks of the staged release, before anything is switched. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import type { PlanCheck } from "../../src/plan/host-plan";
import { runs as runsStill } from "../support/processes";
import { COMPONENT, file, plan, release, Root, shells, until, type Event, type Release } from "./support";

const EVIDENCE = (tx: string, name: string): string => `var/lib/gofleet/${COMPONENT}/runs/${tx}/evidence/check-${name}`;

const checked = (text: string, script: string, more: Partial<PlanCheck> = {}): Release =>
  release(
    plan({
      files: [file("/etc/demo/a.conf", `${text}\n`)],
      checks: [{ name: "canary", timeout: 200, script, ...more }],
    }),
  );
/** Says what it sees of the staged tree and of the host. */
const LOOKS = `cat "$GOFLEET_STAGED/etc/demo/a.conf"; cat "$GOFLEET_ROOT/etc/demo/a.conf"; echo run >>"$GOFLEET_ROOT/ran"\n`;
const old = release(plan({ files: [file("/etc/demo/a.conf", "old\n")] }));

for (const shell of shells()) {
  describe(`agent under ${shell.name}: checks`, function () {
    let root: Root;
    beforeEach(() => (root = new Root(shell)));
    afterEach(() => root.dispose());

    const says = (): string => root.read("etc/demo/a.conf").trim();
    const runs = (): number => (root.has("ran") ? root.read("ran").split("\n").length - 1 : 0);
    const said = (events: readonly Event[]): unknown[] =>
      events.filter(({ ev }) => ev === "check").map(({ msg }) => msg);

    it("see what is staged while the host still has the old release, and are not run for one that is on", async () => {
      assert.equal((await root.run(old)).code, 0);
      const what = checked("new", LOOKS);
      const on = await root.run(what, { tx: "looks" });
      assert.deepEqual([on.code, says(), said(on.events)], [0, "new", ["running", "passed"]], JSON.stringify(on));
      assert.equal(on.events.find(({ msg }) => msg === "passed")?.["out"], "new\nold");
      assert.equal((await root.run(what)).result["status"], "same");
      writeFileSync(root.at(`etc/gofleet/${COMPONENT}/releases/${what.id}/etc/demo/a.conf`), "by hand\n");
      const repaired = await root.run(what);
      assert.deepEqual([repaired.code, says(), runs()], [0, "new", 1], JSON.stringify(repaired));
      assert.deepEqual(
        (await root.start("read")).events.filter(({ ev }) => ev === "drift"),
        [],
      );
    });

    it("leave the host as it was when one fails, with its last words, and what was staged stays", async () => {
      const bad = checked("new", `seq 2000; echo 'MemoryMax=1M is to blame' >&2; exit 3\n`);
      const first = await root.run(bad, { tx: "first" });
      assert.deepEqual([first.code, first.result["current"], root.has("etc/demo")], [23, "", false]);
      assert.equal((await root.run(old)).code, 0);
      const answer = await root.run(bad, { tx: "fails" });
      assert.deepEqual([answer.code, answer.result["status"], answer.result["current"]], [23, "failed", old.id]);
      assert.match(String(answer.result["msg"]), /^check canary: exit code 3: .*2000\nMemoryMax=1M is to blame$/s);
      assert.ok(String(answer.result["msg"]).length < 2000);
      assert.deepEqual([said(answer.events), says()], [["running", "failed"], "old"]);
      assert.match(root.read(EVIDENCE("fails", "canary")), /^1\n2\n.*to blame\n$/s);
      assert.ok(root.has(`etc/gofleet/${COMPONENT}/releases/${bad.id}/.gofleet/manifest`));
      assert.ok(!root.has(`etc/gofleet/${COMPONENT}/txn`));
      assert.equal((await root.run(checked("new", "exit 0\n"))).code, 0);
      assert.equal((await root.start("remove")).code, 0);
      assert.deepEqual(readdirSync(root.path), []);
    });

    it("run in turn by name up to the first that fails, each in its time", async () => {
      const two = release(
        plan({
          files: [file("/etc/demo/a.conf", "new\n")],
          checks: [
            { name: "b", timeout: 1, script: "sleep 300\n" },
            { name: "a", timeout: 200, script: "exit 0\n" },
            { name: "c", timeout: 200, script: LOOKS },
          ],
        }),
      );
      const answer = await root.run(two);
      assert.deepEqual([answer.code, answer.result["msg"], runs()], [23, "check b: took longer than 1 s", 0]);
      const late = await root.run(checked("new", "sleep 300\n"), { deadline: 8 });
      assert.match(String(late.result["msg"]), /^check canary: took longer than [1-8] s$/);
    });

    it("run without the lock, outside any transaction", async () => {
      assert.equal((await root.run(old)).code, 0);
      const slow = root.run(checked("new", 'while [ ! -e "$GOFLEET_ROOT/go" ]; do sleep 0.05; done\n'), { tx: "slow" });
      await until(() => root.has(EVIDENCE("slow", "canary")));
      const other = await root.run(checked("other", "exit 0\n"), { lockwait: 0 });
      assert.deepEqual([other.code, says()], [0, "other"]);
      writeFileSync(root.at("go"), "");
      // It says so like any other run that was overtaken.
      assert.equal((await slow).code, 17);
    });

    it("are run once for a transaction, and not on the way back", async () => {
      assert.equal((await root.run(old)).code, 0);
      const what = checked("new", LOOKS);
      assert.equal((await root.run(what, { tx: "two", stageonly: 1 })).result["status"], "staged");
      assert.deepEqual([says(), runs()], ["old", 1]);
      assert.deepEqual([(await root.run(what, { tx: "two" })).code, says(), runs()], [0, "new", 1]);
      assert.equal((await root.run(old)).code, 0);
      assert.deepEqual([(await root.run(what, { skipchecks: 1 })).code, says(), runs()], [0, "new", 1]);
      assert.equal((await root.run(old)).code, 0);
      assert.deepEqual([(await root.run(what)).code, says(), runs()], [0, "new", 2]);
    });

    it("leave the old release when the connection or the agent ends in one, and the next run finishes", async () => {
      assert.equal((await root.run(old)).code, 0);
      const what = checked("new", 'echo $$ >"$GOFLEET_ROOT/pid"; exec sleep 3600\n');
      const alive = (): boolean => root.has("pid") && runsStill(Number(root.read("pid")), "sleep");
      const ended = root.run(what, { tx: "ends" });
      await until(alive);
      const agent = Number(root.read(`var/lib/gofleet/${COMPONENT}/runs/ends/pid`));
      process.kill(agent, "SIGTERM");
      assert.equal((await ended).code, 129);
      await until(() => !alive());
      assert.deepEqual([says(), root.current()], ["old", old.id]);

      const cut = checked("new", LOOKS);
      await root.run(
        cut,
        { tx: "cut", pause: "checking" },
        { onEvent: ({ ev }: Event, stop: () => void) => ev === "paused" && stop() },
      );
      assert.deepEqual([says(), root.current()], ["old", old.id]);
      const again = await root.run(cut, { tx: "cut" });
      assert.deepEqual([again.code, says()], [0, "new"], JSON.stringify(again));
    });

    it("that pass while nobody listens are not run again when the operator is back", async () => {
      assert.equal((await root.run(old)).code, 0);
      const what = checked("new", `${LOOKS}while [ ! -e "$GOFLEET_ROOT/go" ]; do sleep 0.05; done\n`);
      const alone = root.run(
        what,
        { tx: "alone" },
        { onEvent: ({ ev }: Event, _: () => void, hangUp: () => void) => ev === "check" && hangUp() },
      );
      await until(() => runs() === 1);
      writeFileSync(root.at("go"), "");
      assert.notEqual((await alone).code, 0);
      assert.equal(says(), "old");
      const again = await root.run(what, { tx: "alone" });
      assert.deepEqual([again.code, says(), runs()], [0, "new", 1], JSON.stringify(again));
    });

    it("are refused where the script is not what the manifest says", async () => {
      const what = checked("new", "exit 0\n");
      const entries = new Map([...what.entries, ["release/.gofleet/checks/canary", "rm -rf /\n"]]);
      assert.equal((await root.run({ ...what, entries })).code, 11);
      const more = new Map([...what.entries, ["release/.gofleet/checks/another", "exit 0\n"]]);
      assert.equal((await root.run({ ...what, entries: more })).code, 11);
    });
  });
}
