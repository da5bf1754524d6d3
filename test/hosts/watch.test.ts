import assert from "node:assert/strict";
import { resolveWatch, type WatchArgs } from "../../src/model/service/watch";
import { watchScript } from "../../src/render/service/watch-script";
import { onHost, runOn } from "../agent/on-host";
import { COMPONENT, file, plan, release, type Event, type Release } from "../agent/support";
import { type Host, hosts, needsHosts } from "./support/hosts";
import { pause } from "./support/machine";

const UNIT = "demo.service";
const AUDIT = { audit: "journal file:/var/log/gofleet/audit.log", operator: "tester@here" };

interface Kind {
  /** What the service does once it was told `go` by a file of that name. */
  readonly bad?: string;
  readonly unit?: string;
  readonly watch?: WatchArgs;
  readonly seconds?: number;
  /** In place of the look by those rules. */
  readonly look?: string;
}

/** A service that says which release it is, and goes wrong only when it is told to. */
function service(text: string, { bad = "exit 1", unit = "", watch = {}, seconds = 120, look }: Kind = {}): Release {
  const run = `echo serving ${text}; systemd-notify --ready; while [ ! -e /run/demo.go ]; do systemd-notify WATCHDOG=1; sleep 0.1; done; ${bad}`;
  return release(
    plan({
      files: [
        file(
          `/etc/systemd/system/${UNIT}`,
          `[Unit]\nDescription=demo ${text}\nStartLimitIntervalSec=0\n[Service]\nType=notify\nNotifyAccess=all\nRestart=always\n` +
            `RestartSec=100ms\n${unit}ExecStart=/bin/sh -c '${run}'\n`,
        ),
        file("/etc/demo.text", `${text}\n`),
      ],
      symlinks: [
        { path: `/etc/systemd/system/multi-user.target.wants/${UNIT}`, target: `../${UNIT}`, switched: false },
      ],
      units: [{ name: UNIT, onChange: "restart", reads: [`/etc/systemd/system/${UNIT}`] }],
      watch: {
        seconds,
        interval: 1,
        onTrip: "revert",
        together: [],
        script: look ?? watchScript({ unit: UNIT, watch: resolveWatch(watch) }),
      },
    }),
  );
}

const one = service("one", { bad: "exec sleep infinity" });

describe("a host that looks after its releases", function () {
  let host: Host;
  before(async function () {
    needsHosts(this);
    host = await hosts.boot("watch");
  });
  after(() => hosts.stopAll());

  const text = async (): Promise<string> => (await host.exec("cat /etc/demo.text")).trim();
  const log = `/var/lib/gofleet/${COMPONENT}`;
  const on = async (what: Release, request: Record<string, string | number> = {}): Promise<void> => {
    await host.exec("rm -f /run/demo.go");
    const answer = await runOn(host, what, { ...AUDIT, ...request });
    assert.equal(answer.code, 0, JSON.stringify(answer));
  };
  const until = async (what: string, command: string, seconds = 120): Promise<void> => {
    for (let turn = 0; turn < seconds * 5; turn++) {
      if ((await host.exec(`${command} && echo yes; true`)).trim().endsWith("yes")) return;
      await pause(200);
    }
    const state = await host.exec(
      `systemctl status ${UNIT} gofleet-watch-${COMPONENT}.timer gofleet-watch-${COMPONENT}.service; cat ${log}/watching/* ${log}/findings; ls ${log}/runs; tail -n 3 ${log}/runs/*-watch/log; true`,
    );
    throw new Error(`not so after ${seconds} s: ${what}\n${state}`);
  };
  const wentBack = (tx: string): Promise<void> => until(`back from ${tx}`, `[ -e ${log}/runs/${tx}-watch/exit ]`);
  const settled = async (): Promise<void> =>
    assert.equal(
      await host.exec(`ls /etc/gofleet/${COMPONENT}/txn 2>/dev/null; systemctl --failed --no-legend; true`),
      "",
    );

  it("takes a release back that crashes after the switch, says why, keeps the evidence, and starts from there", async () => {
    await on(one);
    const two = service("two");
    await on(two, { tx: "crashes" });
    await host.exec("touch /run/demo.go");
    await wentBack("crashes");
    assert.equal(await text(), "one");
    await settled();
    const summary = await host.exec(`cat ${log}/runs/crashes-watch/evidence/summary`);
    assert.match(summary, /^cause {5}crash/);
    assert.match(summary, /^journal {3}/m);
    const read = await onHost(host, "read");
    const decision = read.events.find(({ ev }) => ev === "decision");
    assert.match(String(decision?.["msg"]), /demo\.service ended with exit code 1/);
    assert.equal(await host.exec(`systemctl list-units --all --no-legend 'gofleet-watch*'`), "");

    const next = await runOn(host, service("three", { bad: "true" }), { ...AUDIT, expect: two.id });
    assert.equal(next.code, 0, JSON.stringify(next));
    assert.ok(next.events.some(({ ev }) => ev === "decision"));
  });

  it("keeps who changed what in a journal and a file of its own", async () => {
    const wanted = ["apply ok", "apply ok", "watch reverted", "apply ok"];
    for (const command of [
      "journalctl --namespace=gofleet -t gofleet-audit -o cat --no-pager",
      "cat /var/log/gofleet/audit.log",
    ]) {
      const lines = (await host.exec(command)).trim().split("\n");
      const events = lines.map((line) => JSON.parse(line) as Event);
      assert.deepEqual(
        events.map(({ action, outcome }) => `${String(action)} ${String(outcome)}`),
        wanted,
        command,
      );
      const [, , watch] = events;
      assert.deepEqual(
        [watch?.["who"], watch?.["component"], watch?.["to"]],
        ["tester@here", COMPONENT, service("two").id],
      );
      assert.match(String(watch?.["cause"]), /exit code 1/);
    }
    assert.equal(
      await host.exec("journalctl -t gofleet-audit -o cat --no-pager -q; stat -c %a /var/log/gofleet/audit.log"),
      "640\n",
    );
  });

  /** The main rows of docs/rollback.md, by a real systemd and a real kernel; test/service/out-of-memory.test.ts has more. */
  const ROWS: readonly (readonly [string, Kind, string, RegExp])[] = [
    [
      "hang",
      { bad: "sleep 30", unit: "WatchdogSec=3s\nTimeoutAbortSec=1s\n", watch: { window: "2 min" } },
      "back",
      /watchdog ended/,
    ],
    ["SIGKILL", { bad: "kill -9 $$$$" }, "noted", /exit code 137/],
    ["SIGTERM", { bad: "rm /run/demo.go; kill -15 $$$$" }, "nothing", /^$/],
    ["restarts", { bad: "exit 0", watch: { restarts: 2 } }, "back", /restarted \d+ times/],
  ];
  for (const [name, kind, verdict, sentence] of ROWS) {
    it(`${name}: ${verdict}`, async () => {
      await on(one, { skipchecks: 1 });
      const bad = service(`bad ${name}`, {
        ...kind,
        watch: { any: name === "SIGKILL" ? ["exit", "oom"] : undefined, ...kind.watch },
      });
      const tx = name.replaceAll(" ", "-");
      await on(bad, { tx });
      await host.exec("touch /run/demo.go");
      if (verdict === "back") {
        await wentBack(tx);
        assert.match(await host.exec(`cat ${log}/runs/${tx}-watch/cause`), sentence);
        assert.equal(await text(), "one");
      } else {
        if (verdict === "noted") await until("noted", `grep -q ${bad.id} ${log}/findings`);
        else await pause(4000);
        assert.match(await host.exec(`grep ${bad.id} ${log}/findings 2>/dev/null; true`), sentence);
        assert.equal(await text(), `bad ${name}`);
      }
      await host.exec("rm -f /run/demo.go");
    });
  }

  it("stays through a stop that was asked for, and ends with its window", async () => {
    await on(service("short", { bad: "exit 1", seconds: 6 }), { tx: "short" });
    await host.exec(`systemctl restart ${UNIT}`);
    await until("the window is over", `[ ! -d ${log}/watching ]`);
    assert.equal(await host.exec("systemctl list-units --all --no-legend 'gofleet-watch*'"), "");
    await host.exec("touch /run/demo.go");
    await pause(2500);
    assert.deepEqual([await text(), await host.exec(`ls ${log}/runs/short-watch 2>/dev/null; true`)], ["short", ""]);
  });

  it("looks after the next release instead once that has settled", async () => {
    await on(service("four"), { tx: "fourth" });
    await on(service("five", { bad: "exit 2" }), { tx: "fifth" });
    await host.exec("touch /run/demo.go");
    await wentBack("fifth");
    assert.deepEqual([await text(), await host.exec(`ls -d ${log}/runs/fourth-watch 2>/dev/null; true`)], ["four", ""]);
    await settled();
  });

  it("goes on after a reboot with what is left", async () => {
    await on(one, { skipchecks: 1 });
    await on(service("six"), { tx: "sixth" });
    await until("a look", `[ "$(sed -n 's/^left //p' ${log}/watching/state)" -lt 119 ]`);
    await host.reboot();
    assert.equal(await text(), "six");
    await until("the timer is back", `systemctl is-active --quiet gofleet-watch-${COMPONENT}.timer`);
    assert.ok(Number(await host.exec(`sed -n 's/^left //p' ${log}/watching/state`)) < 119);
    assert.equal(await host.exec(`cat ${log}/findings | grep ${service("six").id}; true`), "");
    await host.exec("touch /run/demo.go");
    await wentBack("sixth");
    assert.equal(await text(), "one");
    await settled();
  });

  it("is armed at boot where the power was cut between the settling and that", async () => {
    await on(one, { skipchecks: 1 });
    const seven = service("seven");
    await runOn(host, seven, { ...AUDIT, tx: "seventh", pause: "settled" }, ({ ev }, cut) => ev === "paused" && cut());
    await host.kill();
    await host.powerOn();
    assert.equal(await text(), "seven");
    await until("the timer is there", `systemctl is-active --quiet gofleet-watch-${COMPONENT}.timer`);
    assert.equal(await host.exec(`ls ${log}/owed 2>/dev/null; true`), "");
    await host.exec("touch /run/demo.go");
    await wentBack("seventh");
    assert.equal(await text(), "one");
    await settled();
  });

  it("is armed though a look of the release before is still under way", async () => {
    await on(one, { skipchecks: 1 });
    await on(service("slow", { look: "sleep 25" }), { tx: "slow" });
    await until(
      "a look is under way",
      `systemctl show -P ActiveState gofleet-watch-${COMPONENT}.service | grep -q ^active`,
    );
    await on(service("eight"), { tx: "eighth" });
    assert.equal((await host.exec(`systemctl is-active gofleet-watch-${COMPONENT}.timer`)).trim(), "active");
    await host.exec("touch /run/demo.go");
    await wentBack("eighth");
    assert.equal(await text(), "slow");
    await host.exec("rm -f /run/demo.go");
  });

  it("goes back all the same when it is killed while it does", async () => {
    for (const step of ["revert-flipped", "revert-restarting"]) {
      await on(one, { skipchecks: 1 });
      await on(service(`killed ${step}`), { tx: step, pause: step });
      await host.exec("touch /run/demo.go");
      await until("it pauses", `grep -q '"ev":"paused"' ${log}/runs/${step}-watch/log`);
      await host.exec(`kill -9 "$(cat ${log}/runs/${step}-watch/pid)"`);
      await wentBack(step);
      assert.equal(await text(), "one");
      assert.match(await host.exec(`cat ${log}/decision`), /^cause .*exit code 1/m);
      await settled();
    }
  });
});
