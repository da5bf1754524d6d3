import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { BOOT, FakeSystemd, WITH_UNITS } from "./fake-systemd";
import { file, groupOf, plan, release, shells, until, type Answer, type Release } from "./support";

const UNIT = "api.service";
const PATH = `/etc/systemd/system/${UNIT}`;

/** A release whose probe passes where the host's file `well` names it. */
function version(name: string, irreversible = false): Release {
  return release(
    plan({
      files: [file(PATH, `[Service]\nEnvironment=IS=${name}\n`)],
      units: [{ name: UNIT, onChange: "restart", reads: [PATH] }],
      probes: [{ name: "ready", timeout: 60, script: `grep -qsx ${name} "$GOFLEET_ROOT/well" && echo ${name}\n` }],
      ...(irreversible ? { irreversible: true } : {}),
    }),
  );
}

const [shell] = shells();

describe("agent: a release that is declared irreversible", () => {
  let host: FakeSystemd;
  const old = version("one");
  const migrates = version("two", true);
  const fixed = version("three");

  beforeEach(async () => {
    host = new FakeSystemd(shell, `${WITH_UNITS}\n${BOOT}`);
    well("one");
    await on(old, 0);
  });
  afterEach(() => host.root.dispose());

  const well = (...names: string[]): void =>
    writeFileSync(host.root.at("well"), names.map((name) => `${name}\n`).join(""));
  const on = async (what: Release, code: number, request: Record<string, string | number> = {}): Promise<Answer> => {
    const answer = await host.run(what, { expect: host.root.current(), ...request });
    assert.equal(answer.code, code, JSON.stringify(answer));
    await host.root.quiet();
    return answer;
  };
  const at = (path: string): string => host.root.at(`var/lib/gofleet/go/${path}`);
  const behind = async (): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (await host.ask("releases")).events.flatMap((event) =>
        event.ev === "release" ? [[String(event["id"]), event["behind"]]] : [],
      ),
    );
  /** Kills the agent at a step; what looks after it finishes. */
  const killed = async (step: string, what: Release): Promise<void> => {
    await host.run(what, { expect: host.root.current(), tx: "second", pause: step }, (event) => {
      if (event.ev === "paused") process.kill(Number(readFileSync(at("runs/second/pid"), "utf8")), "SIGKILL");
    });
    await until(() => existsSync(at("runs/second/exit")));
    await host.root.quiet();
  };

  it("stays where its probe fails: settled, with evidence, and what went wrong as the answer", async () => {
    const { result, events } = await on(migrates, 24, { tx: "second" });
    assert.deepEqual([result["status"], result["current"], host.root.current()], ["failed", migrates.id, migrates.id]);
    assert.match(
      String(result["msg"]),
      /^probe ready failed: .*; it stays, for its release is declared irreversible$/s,
    );
    assert.ok(events.some(({ ev }) => ev === "summary"));
    assert.ok(!host.root.has("etc/gofleet/go/txn"));
    assert.deepEqual(host.asked(UNIT).slice(-1), ["restart"]);
  });

  it("is probed again by the next run, fails again as long as it is not well, and is fine once it is", async () => {
    await on(migrates, 24);
    const again = await on(migrates, 24);
    assert.equal(again.result["current"], migrates.id);
    well("two");
    assert.equal((await on(migrates, 0)).result["status"], "ok");
    assert.equal((await on(migrates, 0)).result["status"], "same");
  });

  it("is what a later release goes back to, never the one before", async () => {
    await on(migrates, 24);
    well("two");
    assert.equal((await on(fixed, 20)).result["current"], migrates.id);
    well("three");
    assert.equal((await on(fixed, 0)).result["current"], fixed.id);
  });

  it("goes back as any other before one of its units was started", async () => {
    await killed("flipped", migrates);
    assert.equal(host.root.current(), old.id);
    assert.deepEqual(await behind(), { [old.id]: "", [migrates.id]: "" });
  });

  for (const step of ["restarting", "probing"]) {
    it(`is finished where its agent is killed at "${step}", well or not`, async () => {
      well("one", "two");
      await killed(step, migrates);
      assert.deepEqual([host.root.current(), readFileSync(at("runs/second/exit"), "utf8").trim()], [migrates.id, "0"]);
      assert.ok(!host.root.has("etc/gofleet/go/txn"));
    });
  }

  it("stays where its agent is killed and it is not well, and says so", async () => {
    await killed("restarting", migrates);
    assert.deepEqual([host.root.current(), readFileSync(at("runs/second/exit"), "utf8").trim()], [migrates.id, "24"]);
  });

  it("stays over a reboot in the middle, and is probed by the next run", async () => {
    await host.run(migrates, { expect: old.id, tx: "second", pause: "probing" }, (event, cut) => {
      if (event.ev !== "paused") return;
      process.kill(-groupOf(Number(readFileSync(at("runs/second/pid"), "utf8"))), "SIGKILL");
      cut();
    });
    await host.root.quiet();
    assert.match(host.root.read("etc/gofleet/go/txn"), /^phase committed$/m);
    await host.ask("boot").catch(() => undefined);
    assert.deepEqual([host.root.current(), host.root.has("etc/gofleet/go/txn")], [migrates.id, false]);
    assert.equal((await on(migrates, 24)).result["current"], migrates.id);
  });

  it("waits for no confirmation that could take it back", async () => {
    well("two");
    assert.equal((await on(migrates, 0, { confirm: 60 })).result["status"], "ok");
  });

  it("leaves older releases behind, until one of them is put on again", async () => {
    well("one", "two", "three");
    await on(migrates, 0);
    await on(fixed, 0);
    assert.deepEqual(await behind(), { [old.id]: migrates.id, [migrates.id]: "", [fixed.id]: "" });
    await on(old, 0, { skipchecks: 1 });
    assert.equal((await behind())[old.id], "");
  });
});
