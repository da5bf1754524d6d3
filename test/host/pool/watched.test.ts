import { strict as assert } from "node:assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { REAL_CLOCK, type Clock } from "../../../src/host/gates/clock";
import type { ReleaseInputs } from "../../../src/host/release";
import { diffRelease } from "../../../src/host/release-diff";
import { PartialFailure } from "../../../src/host/release-outcome";
import type { Rollout } from "../../../src/model/rollout";
import { until } from "../../support/until";
import { actual, COMPONENT, failure, inputs, SIX, stateOf, TestPool } from "./test-pool";

describe("a release of a pool whose hosts watch it by themselves", function () {
  let pool: TestPool;
  beforeEach(() => (pool = new TestPool()));
  afterEach(() => pool.remove());

  const WHY = "served.service ended with exit code 2";
  /** With a host's first look at once. */
  const watched = (text: string, rollout: Partial<Rollout>, more: Partial<ReleaseInputs> = {}): ReleaseInputs => {
    const { plan, ...rest } = inputs(text, rollout, more);
    return { ...rest, plan: { ...plan, watch: WATCH } };
  };
  const WATCH = { seconds: 600, interval: 0, onTrip: "revert", together: [], script: "exit 0\n" } as const;
  /** A gate that passes each wave but waits in the given one until it is let go. */
  const held = (wave: number) =>
    pool.gate("each", 0, `[ "$GOFLEET_WAVE" != ${wave} ] || until [ -e "$0.go" ]; do sleep 0.05; done`);
  const letGo = () => writeFileSync(`${pool.notes}.go`, "");
  const inGate = (wave: number) => until(() => pool.judged().length >= wave && pool.judged()[0] !== "");

  for (const [host, wave, onFailure, left, unreached] of [
    [1, 1, "rollback", [], "rack-2, rack-3, rack-4, rack-5, rack-6"],
    [1, 1, "stop", [], "rack-2, rack-3, rack-4, rack-5, rack-6"],
    [1, 2, "rollback", [], "rack-4, rack-5, rack-6"],
    [1, 2, "stop", [2, 3], "rack-4, rack-5, rack-6"],
    [2, 3, "rollback-batch", [1, 4, 5], "rack-6"],
  ] as const) {
    it(`stops in wave ${wave} where rack-${host} has gone back while its gate looked on, with ${onFailure}`, async () => {
      const state = await pool.manager().create(watched("old\n", {}));
      const [old = ""] = pool.releases();
      const running = failure(pool.manager().update(state, watched("bad\n", { onFailure, gates: [held(wave)] })));
      await inGate(wave);
      pool.hosts.goesBack(SIX[host - 1] ?? "", COMPONENT, WHY);
      letGo();
      const error = await running;
      assert.match(
        error.message,
        new RegExp(
          `^rack-${host} \\(10\\.0\\.0\\.${host}\\): no longer on \\w{16}: went back by itself at \\S+Z, from \\w{16} to ${old}: ${WHY}; evidence: /var/lib/gofleet/motd/runs/x-watch/evidence$`,
          "m",
        ),
      );
      assert.match(error.message, new RegExp(`^not reached: ${unreached}$`, "m"));
      assert.deepEqual(
        pool.releases().flatMap((release, i) => (release === old ? [] : [i + 1])),
        left,
      );
      const found = stateOf(error, state);
      assert.deepEqual(actual(found), pool.releases(), "the state says what each host has");
      assert.ok(diffRelease(found, watched("bad\n", {})).changes);
      const fixed = await pool.manager().update(found, watched("good\n", {}));
      assert.equal(new Set(pool.releases()).size, 1);
      assert.deepEqual(actual(fixed), pool.releases());
    });
  }

  it("is no success where a host has gone back before the end", async () => {
    const state = await pool.manager().create(watched("old\n", {}));
    const before = pool.releases();
    const running = failure(pool.manager().update(state, watched("bad\n", { canary: 6, gates: [held(1)] })));
    await inGate(1);
    pool.hosts.goesBack("10.0.0.4", COMPONENT, WHY);
    letGo();
    const error = await running;
    assert.match(error.message, /^rack-4 .*went back by itself/);
    assert.deepEqual(pool.releases(), before);
    assert.ok(!(error instanceof PartialFailure), "all are where the state has them");
  });

  it("is not waited for by a gate or in a pause once the canary has gone back", async () => {
    const hurried: Clock = { ...REAL_CLOCK, sleep: (seconds, signal) => REAL_CLOCK.sleep(seconds / 1000, signal) };
    for (const rollout of [{ gates: [pool.gate("canary", 0, "sleep 3600")] }, { pause: 3600_000 }]) {
      const state = await pool.manager().create(watched("old\n", {}));
      const before = pool.releases();
      rmSync(pool.notes, { force: true });
      pool.hosts.forgetVisits(SIX);
      const running = failure(pool.manager(hurried).update(state, watched("bad\n", { ...rollout, batch: 5 })));
      await until(() => pool.hosts.releases(SIX, COMPONENT)[0] !== before[0]);
      pool.hosts.goesBack("10.0.0.1", COMPONENT, WHY);
      assert.match((await running).message, /^rack-1 .*went back by itself.*\nnot reached: rack-2, /);
      assert.deepEqual(pool.releases(), before);
      await pool.manager().delete(state);
    }
  });

  it("is a failure to its hooks, and so is one that a gate refuses", async () => {
    const note = (on: string) => ({
      on: "operator" as const,
      command: ["sh", "-c", `echo "$GOFLEET_HOST ${on}: $GOFLEET_REASON" >>"$0.hooks"`, pool.notes],
      timeout: 60,
      failure: "fail" as const,
    });
    const hooks = { onFailure: note("onFailure"), afterRollback: note("afterRollback") };
    const state = await pool.manager().create(watched("old\n", {}));
    const running = failure(pool.manager().update(state, watched("bad\n", { gates: [held(1)] }, { hooks })));
    await inGate(1);
    pool.hosts.goesBack("10.0.0.1", COMPONENT, WHY);
    letGo();
    await running;
    const told = () => readFileSync(`${pool.notes}.hooks`, "utf8").trim().split("\n");
    assert.equal(told().length, 2);
    assert.match(told()[0] ?? "", new RegExp(`^rack-1 onFailure: .*${WHY}`));
    assert.match(told()[1] ?? "", new RegExp(`^rack-1 afterRollback: .*${WHY}`));
    await failure(pool.manager().update(state, watched("bad\n", { gates: [pool.gate("canary", 1)] }, { hooks })));
    assert.deepEqual(
      told()
        .slice(2)
        .map((line) => line.replace(/: .*failed after/, ": failed after")),
      ["afterRollback", "onFailure"].map(
        (on) => `rack-1 ${on}: failed after wave 1 of 4 (rack-1): sh ended with 1: broken`,
      ),
    );
  });

  it("is not known of a host that cannot be reached by then: an error, or a warning", async () => {
    for (const unreachable of ["fail", "keep"] as const) {
      const policy = { ...inputs("").policy, unreachable };
      rmSync(`${pool.notes}.go`, { force: true });
      rmSync(pool.notes, { force: true });
      const state = await pool.manager().create(watched("old\n", {}));
      const running = pool
        .manager()
        .update(state, watched("new\n", { onFailure: "stop", gates: [held(1)] }, { policy }))
        .catch((error: unknown) => error);
      await inGate(1);
      pool.hosts.fault("10.0.0.1", "unreachable");
      letGo();
      const ended = await running;
      pool.hosts.fault("10.0.0.1");
      if (unreachable === "keep") {
        assert.ok(!(ended instanceof Error), String(ended));
        assert.ok(pool.said.some((line) => /^rack-1 .*; it may have gone back since it took the release$/.test(line)));
      } else {
        assert.ok(ended instanceof PartialFailure);
        assert.equal(actual(ended.properties)[0], "unknown");
        assert.match(ended.message, /^not reached: rack-2, /m);
      }
      await pool.manager().delete(state);
    }
  });

  it("costs nothing where no watch takes it back, or none can have looked yet", async () => {
    for (const watch of [undefined, { ...WATCH, onTrip: "report" as const }, { ...WATCH, interval: 3600 }]) {
      const news = watched("old\n", { gates: [pool.gate("each")] });
      const { watch: _, ...plan } = news.plan;
      const state = await pool.manager().create({ ...news, plan: { ...plan, ...(watch && { watch }) } });
      for (const address of SIX) {
        assert.ok(!pool.hosts.read(address).visits?.includes("state"), String(pool.hosts.read(address).visits));
      }
      await pool.manager().delete(state);
      pool.hosts.forgetVisits(SIX);
    }
  });
});
