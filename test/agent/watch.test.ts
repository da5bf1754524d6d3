import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { HostPlan, PlanWatch } from "../../src/plan/host-plan";
import { FakeSystemd } from "./fake-systemd";
import { file, groupOf, plan, release, shells, until, type Event, type Release } from "./support";

const BOOT = "/proc/sys/kernel/random/boot_id";

/** A release that is watched: a look goes by what `verdict` of its root says. */
function watched(
  text: string,
  more: Partial<PlanWatch> = {},
  component = "go",
  secrets: HostPlan["secrets"] = [],
): Release {
  const script = `cat "$GOFLEET_WATCH/../../verdict" 2>/dev/null\nexit "$(cat "$GOFLEET_WATCH/../../code" 2>/dev/null || echo 0)"\n`;
  return release(
    plan({
      files: [file(`/etc/${component}/text`, `${text}\n`)],
      probes: [{ name: "reads", timeout: 60, script: `cat "$GOFLEET_ROOT/etc/${component}/text"\n` }],
      watch: { seconds: 600, interval: 10, onTrip: "revert", together: [], script, ...more },
      secrets,
    }),
  );
}

const [shell] = shells();

describe("agent: watch", function () {
  let host: FakeSystemd;
  beforeEach(() => (host = new FakeSystemd(shell)));
  afterEach(() => host.root.dispose());

  const text = (component = "go"): string => host.root.read(`etc/${component}/text`).trim();
  const at = (path: string, component = "go"): string => host.root.at(`var/lib/gofleet/${component}/${path}`);
  const on = async (what: Release, request: Record<string, string | number> = {}): Promise<void> => {
    const component = String(request["component"] ?? "go");
    const answer = await host.run(what, { expect: host.root.current(component), ...request });
    assert.equal(answer.code, 0, JSON.stringify(answer));
    await host.root.quiet();
  };
  /** One look, as the timer starts it. */
  const look = (component = "go"): void => {
    const { command, env } = host.look(component);
    const [program = "", ...args] = command;
    const { status, stderr } = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
  };
  const judge = (code: number, verdict: string, component = "go"): void => {
    writeFileSync(at("code", component), String(code));
    writeFileSync(at("verdict", component), verdict);
  };
  /** The end of what a trip started, in its own process. */
  const wentBack = async (tx: string, component = "go"): Promise<Event> => {
    await until(() => existsSync(at(`runs/${tx}-watch/exit`, component)));
    return JSON.parse(readFileSync(at(`runs/${tx}-watch/result`, component), "utf8")) as Event;
  };

  it("is armed when a release settles, for its window, and not without one", async () => {
    await on(release(plan({ files: [file("/etc/go/text", "plain\n")] })));
    assert.equal(host.timer(), undefined);
    const answer = await host.run(watched("one"));
    assert.deepEqual(
      answer.events.filter(({ ev }) => ev === "watching").map(({ seconds, interval }) => [seconds, interval]),
      [[600, 10]],
    );
    const timer = host.timer() ?? [];
    assert.ok(timer.includes("--on-active=10s") && timer.includes("--on-unit-inactive=10s"), timer.join(" "));
    const { release: id, left, from } = host.state();
    assert.deepEqual([id, left, from !== ""], [watched("one").id, "600", true]);
  });

  it("counts the window in seconds of running time, over a reboot too, and ends by itself", async () => {
    await on(watched("one"));
    const state = at("watching/state");
    const put = (change: (text: string) => string): void => writeFileSync(state, change(readFileSync(state, "utf8")));
    put((lines) => lines.replace(/^looked .*/m, (line) => `looked ${Number(line.slice(7)) - 100}`));
    look();
    const left = Number(host.state()["left"]);
    assert.ok(left <= 500 && left > 100, `${left} s left`);
    // Of another boot: its clock says nothing, what was left then counts.
    put((lines) => lines.replace(/^boot .*/m, "boot another").replace(/^looked .*/m, "looked 1"));
    look();
    assert.equal(Number(host.state()["left"]), left);
    assert.equal(host.state()["boot"], readFileSync(BOOT, "utf8").trim());
    put((lines) => lines.replace(/^left .*/m, "left 0"));
    look();
    assert.deepEqual([host.timer(), host.state()], [undefined, {}]);
  });

  it("goes back when a look says so, records why, and the next run is told", async () => {
    await on(watched("one"));
    await on(watched("two"), { tx: "second" });
    judge(0, "");
    look();
    assert.deepEqual([text(), host.findings()], ["two", []]);
    judge(1, "ready: 503 at 3 looks in a row\nsecond line\n");
    look();
    const result = await wentBack("second");
    assert.deepEqual(
      [result["rc"], result["status"], result["msg"]],
      [20, "reverted", "ready: 503 at 3 looks in a row;second line"],
    );
    await host.root.quiet();
    assert.deepEqual([text(), host.timer(), host.root.current()], ["one", undefined, watched("one").id]);
    assert.ok(!host.root.has("etc/gofleet/go/txn"));
    const summary = readFileSync(at("runs/second-watch/evidence/summary"), "utf8");
    assert.match(summary, /^cause {5}ready: 503 at 3 looks in a row/);
    for (const verb of ["read", "state"]) {
      const { events } = await host.ask(verb);
      const decision = events.find(({ ev }) => ev === "decision");
      assert.deepEqual(
        [decision?.["from"], decision?.["to"], decision?.["msg"], decision?.["evidence"]],
        [
          watched("two").id,
          watched("one").id,
          "ready: 503 at 3 looks in a row;second line",
          at("runs/second-watch/evidence"),
        ],
      );
    }
    const before = await host.run(watched("one"), { expect: watched("one").id });
    assert.deepEqual([before.result["status"], before.events.some(({ ev }) => ev === "decision")], ["same", true]);
    writeFileSync(at("decision"), `time now\nfrom ${watched("two").id}\nto ${watched("one").id}\ncause ready: 503\n`);
    // The operator still believes in "two".
    const third = await host.run(watched("three"), { expect: watched("two").id });
    assert.equal(third.code, 0, JSON.stringify(third));
    assert.ok(third.events.some(({ ev, msg }) => ev === "decision" && String(msg).startsWith("ready: 503")));
    await host.root.quiet();
    assert.ok(!(await host.ask("read")).events.some(({ ev }) => ev === "decision"));
  });

  it("notes findings once, and a watch that fails itself, without going back", async () => {
    await on(watched("one"));
    await on(watched("two"));
    judge(0, "a code of 12\n");
    look();
    judge(0, "a code of 1\n");
    look();
    assert.deepEqual(host.findings(), [
      `${watched("two").id} finding a code of 12`,
      `${watched("two").id} finding a code of 1`,
    ]);
    writeFileSync(at("findings"), "");
    judge(0, 'log: "timeout" 10 times in 1 min\n');
    look();
    look();
    judge(7, "");
    look();
    assert.deepEqual(
      [text(), host.findings()],
      [
        "two",
        [
          `${watched("two").id} finding log: "timeout" 10 times in 1 min`,
          `${watched("two").id} finding the watch itself failed: exit code 7:`,
        ],
      ],
    );
    const found = (await host.ask("read")).events
      .filter(({ ev }) => ev === "finding")
      .map(({ kind, msg }) => [kind, msg]);
    assert.equal(found.length, 2);
  });

  it("shows nothing of a secret where what was found is cut in the middle of it", async () => {
    await on(watched("one"));
    const token = "s3cr3t-of-the-token";
    const hmac = createHmac("sha256", "key").update(token).digest("hex");
    const what = watched("two", {}, "go", [{ name: "token", hmac }]);
    await on({ ...what, entries: new Map([...what.entries, [`secrets/${hmac}`, token]]) }, { tx: "second" });
    for (const before of [490, 1990]) {
      judge(0, `${"x".repeat(before)}${token}\n`);
      look();
    }
    judge(1, `${"y".repeat(1990)}${token}\n`);
    look();
    const ended = await wentBack("second");
    for (const each of [JSON.stringify(ended), ...host.findings(), host.root.read("var/lib/gofleet/go/decision")]) {
      assert.doesNotMatch(each, /s3c/);
    }
  });

  it("only notes it of a first release, of one that may not be taken back, and where the one before was taken back", async () => {
    await on(watched("one"));
    judge(1, "broken\n");
    look();
    look();
    assert.deepEqual(host.findings(), [
      `${watched("one").id} trip broken; there is no release before it to go back to`,
    ]);
    await on(watched("two", { onTrip: "report" }));
    look();
    assert.match(host.findings().at(-1) ?? "", /trip broken; it is not taken back, as its watch says$/);
    assert.equal(text(), "two");
    await on(watched("three"), { tx: "third" });
    look();
    await wentBack("third");
    await host.root.quiet();
    assert.equal(text(), "two");
    await on(watched("three"), { tx: "fourth" });
    await on(watched("four"), { tx: "fifth" });
    look();
    assert.equal(text(), "four");
    assert.match(host.findings().at(-1) ?? "", /before it was taken back by its own watch$/);
  });

  it("goes on through a release that fails, ends with one that settles, and does not begin for one that comes back", async () => {
    await on(watched("one"));
    await on(watched("two"), { tx: "second" });
    const bad = release(
      plan({ files: [file("/etc/go/text", "bad\n")], probes: [{ name: "no", timeout: 60, script: "exit 1\n" }] }),
    );
    assert.equal((await host.run(bad)).code, 20);
    await host.root.quiet();
    assert.deepEqual([host.state()["tx"], host.timer() !== undefined], ["second", true]);
    await on(watched("one"), { skipchecks: 1 });
    assert.deepEqual([host.state(), host.timer()], [{}, undefined]);
    await on({ ...watched("two"), entries: new Map() });
    assert.deepEqual([text(), host.timer()], ["two", undefined]);
  });

  it("takes together what belongs together, the last one switched first", async () => {
    await on(watched("db one", {}, "db"), { component: "db" });
    await on(watched("web one", {}, "web"), { component: "web" });
    await on(watched("api one"));
    await on(watched("old one", {}, "old"), { component: "old" });
    await on(watched("db two", {}, "db"), { component: "db" });
    await on(watched("api two", { together: ["db", "old", "web", "gone"] }), { tx: "trips" });
    await on(watched("web two", {}, "web"), { component: "web" });
    judge(1, "broken\n");
    look();
    await wentBack("trips");
    await host.root.quiet();
    // `old` has no release before the first, so it has nothing to go back to.
    assert.deepEqual([text("web"), text(), text("db"), text("old")], ["web one", "api one", "db one", "old one"]);
    const order = readFileSync(at("runs/trips-watch/log"), "utf8")
      .split("\n")
      .filter((line) => line.includes('"ev":"reverting"'))
      .map((line) => (JSON.parse(line) as Event)["component"]);
    assert.deepEqual(order, ["web", "go", "db"]);
    assert.match(readFileSync(at("decision", "db"), "utf8"), /^cause together with go: broken$/m);
    assert.deepEqual(
      [host.timer("web"), host.timer("db"), host.timer("old") !== undefined],
      [undefined, undefined, true],
    );
    // Only what tripped is not gone back to.
    assert.deepEqual([existsSync(at("tripped")), existsSync(at("tripped", "db"))], [true, false]);
  });

  for (const step of ["locked", "txn", "revert-ledger", "revert-flipped", "revert-linked"]) {
    it(`killed at "${step}" of going back, it is on the release before all the same`, async () => {
      await on(watched("db one", {}, "db"), { component: "db" });
      await on(watched("one"));
      await on(watched("db two", {}, "db"), { component: "db" });
      await on(watched("two", { together: ["db"] }), { tx: "second" });
      const request = at("watching/request");
      writeFileSync(request, `${readFileSync(request, "utf8")}pause\t${step}\n`);
      judge(1, "broken\n");
      look();
      const log = at("runs/second-watch/log");
      await until(() => existsSync(log) && readFileSync(log, "utf8").includes('"ev":"paused"'));
      process.kill(Number(readFileSync(at("runs/second-watch/pid"), "utf8")), "SIGKILL");
      await until(() => existsSync(at("runs/second-watch/exit")));
      await host.root.quiet();
      if (step === "locked") {
        // Nothing had been begun: the next look finds the same.
        assert.deepEqual([text(), text("db")], ["two", "db two"]);
        writeFileSync(request, readFileSync(request, "utf8").replace(/pause\t.*\n/, ""));
        look();
        await until(() => existsSync(at("runs/second-watch/result")));
        await host.root.quiet();
      }
      assert.deepEqual([text(), text("db")], ["one", "db one"]);
      assert.match(readFileSync(at("decision"), "utf8"), /^cause broken$/m);
      assert.ok(!host.root.has("etc/gofleet/go/txn") && !host.root.has("etc/gofleet/db/txn"));
    });
  }

  /** Ends the process of a run that pauses at a step, and what looks after it where told so. */
  const killedAt = async (step: string, what: Release, tx: string, both = false): Promise<void> => {
    const request = { expect: host.root.current("go"), tx, pause: step };
    await host.run(what, request, (event, cut) => {
      if (event.ev !== "paused") return;
      const pid = Number(readFileSync(at(`runs/${tx}/pid`), "utf8"));
      process.kill(both ? -groupOf(pid) : pid, "SIGKILL");
      if (both) cut();
    });
    if (!both) await until(() => existsSync(at(`runs/${tx}/exit`)));
    await host.root.quiet();
  };

  for (const step of ["settled", "watching"]) {
    it(`is armed all the same where the agent is killed at "${step}", and the operator is told of the success`, async () => {
      await on(watched("one"));
      await killedAt(step, watched("two"), "second");
      const { tx, release: id } = host.state();
      assert.deepEqual([tx, id, host.timer() !== undefined], ["second", watched("two").id, true]);
      assert.equal(readFileSync(at("runs/second/exit"), "utf8").trim(), "0");
      assert.deepEqual((await host.run(watched("two"), { tx: "second" })).result["status"], "same");
      judge(1, "broken\n");
      look();
      await wentBack("second");
      assert.equal(text(), "one");
    });
  }

  it("is armed by the next run where what looks after the agent was killed as well", async () => {
    await on(watched("one"));
    await killedAt("settled", watched("two"), "second", true);
    // The window of "one" is not that of "two".
    assert.notEqual(host.state()["tx"], "second");
    assert.ok(host.root.has("var/lib/gofleet/go/owed"));
    await on(watched("two"), { tx: "third" });
    assert.deepEqual([host.state()["tx"], host.root.has("var/lib/gofleet/go/owed")], ["second", false]);
    assert.equal(host.state()["from"], watched("one").id);
  });

  it("is armed by the same confirmation again, where the first was ended before it could", async () => {
    await on(watched("one"));
    const answer = await host.run(watched("two"), { tx: "second", confirm: 60, expect: host.root.current("go") });
    assert.equal(answer.result["status"], "unconfirmed");
    await host.root.quiet();
    const request = at("runs/second/request");
    writeFileSync(request, `${readFileSync(request, "utf8")}pause\tsettled\n`);
    await host.ask("confirm", { tx: "second" }, (event, cut) => event.ev === "paused" && cut());
    assert.ok(host.root.has("var/lib/gofleet/go/owed"));
    const again = await host.ask("confirm", { tx: "second" });
    assert.deepEqual([again.code, again.result["current"]], [0, watched("two").id], JSON.stringify(again));
    assert.deepEqual([host.state()["tx"], host.timer() !== undefined], ["second", true]);
  });

  it("keeps the release before, however old it is", async () => {
    await on(watched("one"), { keep: 2 });
    await on(watched("two"), { keep: 2, tx: "second" });
    judge(1, "broken\n");
    look();
    await wentBack("second");
    await host.root.quiet();
    judge(0, "");
    await on(watched("three"), { keep: 2, tx: "third" });
    judge(1, "broken\n");
    look();
    await wentBack("third");
    await host.root.quiet();
    assert.equal(text(), "one");
  });

  it("is refused where no systemd runs, with the reason", async () => {
    const answer = await host.root.run(watched("one"));
    assert.deepEqual([answer.code, host.root.has("etc/go")], [14, false]);
    assert.match(String(answer.result["msg"]), /^a watch is a timer of systemd's on a whole host, not /);
  });

  it("is part of the release: another script is another release, and one that was changed by hand is drift", async () => {
    assert.notEqual(watched("one").id, watched("one", { script: "exit 0\n" }).id);
    await on(watched("one"));
    writeFileSync(host.root.at("etc/gofleet/go/current/.gofleet/watch"), "exit 1\n");
    const again = await host.run(watched("one"));
    assert.equal(again.code, 0);
    assert.ok(host.root.read("etc/gofleet/go/current/.gofleet/watch").includes("verdict"));
  });
});
