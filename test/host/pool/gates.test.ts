import { strict as assert } from "node:assert";
import { rmSync, writeFileSync } from "node:fs";
import type { ReleaseInputs } from "../../../src/host/release";
import { diffRelease } from "../../../src/host/release-diff";
import { PartialFailure } from "../../../src/host/release-outcome";
import { until } from "../../support/until";
import { actual, failure, inputs, SIX, stateOf, TestPool } from "./test-pool";

describe("a release of a pool with gates", function () {
  let pool: TestPool;
  beforeEach(() => (pool = new TestPool()));
  afterEach(() => pool.remove());

  it("never lets a release reach host 2 that the canary's gate refuses, and goes through once it is good", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const before = pool.releases();
    pool.hosts.forgetVisits(SIX);
    const error = await failure(pool.manager().update(state, inputs("bad\n", { gates: [pool.gate("canary", 1)] })));
    assert.ok(!(error instanceof PartialFailure), "the state stays as it was");
    assert.equal(
      error.message,
      [
        "gate contract-canary failed after wave 1 of 4 (rack-1): sh ended with 1: broken",
        "rack-1: put back",
        "not reached: rack-2, rack-3, rack-4, rack-5, rack-6",
      ].join("\n"),
    );
    assert.deepEqual(pool.releases(), before);
    for (const address of SIX.slice(1)) assert.deepEqual(pool.hosts.read(address).visits, []);
    const fixed = await pool.manager().update(state, inputs("good\n", { gates: [pool.gate("canary")] }));
    assert.equal(new Set(pool.releases()).size, 1);
    assert.deepEqual(actual(fixed), pool.releases());
    assert.deepEqual(pool.judged(), ["contract-canary 1 rack-1", "contract-canary 1 rack-1"]);
  });

  it("puts a host of which the state knows nothing back on the release of the state", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const [old = ""] = pool.releases();
    pool.hosts.fault("10.0.0.1", "lost");
    const lost = stateOf(await failure(pool.manager().update(state, inputs("new\n"))), state);
    pool.hosts.fault("10.0.0.1");
    assert.equal(actual(lost)[0], "unknown");
    const error = await failure(pool.manager().update(lost, inputs("bad\n", { gates: [pool.gate("canary", 1)] })));
    assert.match(error.message, /^rack-1: put back$/m);
    assert.deepEqual(new Set(pool.releases()), new Set([old]));
    assert.deepEqual(actual(stateOf(error, lost)), pool.releases());
  });

  for (const [onFailure, left] of [
    ["rollback", 0],
    ["rollback-batch", 1],
    ["stop", 3],
  ] as const) {
    it(`leaves ${left} hosts on a release that batch 2 is refused for, with ${onFailure}, and says so`, async () => {
      const state = await pool.manager().create(inputs("old\n"));
      const [old] = pool.releases();
      const news = inputs("bad\n", { onFailure, gates: [pool.gate("each", 2)] });
      const error = await failure(pool.manager().update(state, news));
      assert.match(error.message, /^gate contract-each failed after wave 2 of 4 \(rack-2, rack-3\): .*broken$/m);
      assert.match(error.message, /^not reached: rack-4, rack-5, rack-6$/m);
      assert.equal(pool.releases().filter((release) => release !== old).length, left);
      const found = stateOf(error, state);
      assert.deepEqual(actual(found), pool.releases());
      assert.ok(diffRelease(found, news).changes);
      if (left > 0) assert.match(error.message, new RegExp(`^on [0-9a-f]{16}, left there: rack-1`, "m"));

      const fixed = await pool.manager().update(found, inputs("good\n", { gates: [pool.gate("each")] }));
      assert.equal(new Set(pool.releases()).size, 1);
      assert.deepEqual(actual(fixed), pool.releases());
      assert.equal(fixed.unfinished, undefined);
      assert.ok(!diffRelease(fixed, inputs("good\n", { gates: [pool.gate("each")] })).changes);
    });
  }

  it("leaves an irreversible release where it is when its gate refuses it, says why, and visits those hosts again", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const [old] = pool.releases();
    const migrates = (text: string, bad = 0): ReleaseInputs => {
      const given = inputs(text, { onFailure: "rollback", gates: bad === 0 ? [] : [pool.gate("each", bad)] });
      return { ...given, plan: { ...given.plan, irreversible: true } };
    };
    const error = await failure(pool.manager().update(state, migrates("bad\n", 2)));
    assert.equal(pool.releases().filter((release) => release !== old).length, 3);
    assert.match(
      error.message,
      /^on [0-9a-f]{16}, left there, for it is declared irreversible: rack-1, rack-2, rack-3$/m,
    );
    const found = stateOf(error, state);
    assert.deepEqual(actual(found), pool.releases());

    pool.hosts.forgetVisits(SIX);
    const done = await pool.manager().update(found, migrates("bad\n"));
    assert.equal(new Set(pool.releases()).size, 1);
    assert.ok(
      SIX.every((address) => (pool.hosts.read(address).visits ?? []).length > 0),
      "a host that has it may not be well on it",
    );
    assert.deepEqual(actual(done), pool.releases());
  });

  it("puts all back when the whole pool is refused at the end", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const before = pool.releases();
    const error = await failure(pool.manager().update(state, inputs("bad\n", { gates: [pool.gate("last", 4)] })));
    assert.match(error.message, /gate contract-last failed after wave 4 of 4 \(rack-1, rack-2, .*rack-6\)/);
    assert.deepEqual(pool.releases(), before);
    assert.deepEqual(pool.judged(), ["contract-last 4 rack-1 rack-2 rack-3 rack-4 rack-5 rack-6"]);
  });

  it("takes a first release off again that its gate refuses", async () => {
    await failure(pool.manager().create(inputs("bad\n", { gates: [pool.gate("canary", 1)] })));
    assert.deepEqual(pool.releases(), ["", "", "", "", "", ""]);
  });

  it("says on the row where it is, how many are done, and what the gate sees", async () => {
    const tested = () => pool.said.some((line) => line.includes("contract-canary: testing, "));
    const created = pool
      .manager()
      .create(
        inputs("old\n", { gates: [pool.gate("canary", 0, 'echo testing; until [ -e "$0.go" ]; do sleep 0.05; done')] }),
      );
    await until(tested);
    writeFileSync(`${pool.notes}.go`, "");
    await created;
    for (const line of [
      /^wave 1 of 4, 0 of 6 hosts done: rack-1$/,
      /^wave 1 of 4, 1 of 6 hosts done: rack-1 done$/,
      /^wave 1 of 4, 1 of 6 hosts done: gate contract-canary: testing, \d+ min left$/,
      /^wave 1 of 4, 1 of 6 hosts done: gate contract-canary: sh passed$/,
      /^wave 2 of 4, 1 of 6 hosts done: rack-2, rack-3$/,
    ]) {
      const seen = pool.said.some((text) => line.test(text));
      assert.ok(seen, `${String(line)}\n\n${pool.said.join("\n")}`);
    }
  });

  it("visits no host and asks no gate for other settings of the rollout", async () => {
    const state = await pool.manager().create(inputs("same\n"));
    pool.hosts.forgetVisits(SIX);
    const news = inputs(
      "same\n",
      { batch: 3, pause: 10, maxUnavailable: 3, gates: [pool.gate("each", 1)] },
      { gateSecrets: { "contract-each": "t0ken" } },
    );
    assert.deepEqual(diffRelease(state, news), { changes: true, replaces: [] });
    const updated = await pool.manager().update(state, news);
    for (const address of SIX) assert.deepEqual(pool.hosts.read(address).visits, []);
    assert.deepEqual(pool.judged(), []);
    assert.deepEqual(updated.rollout, news.rollout);
    assert.ok(!diffRelease(updated, news).changes);
  });

  it("asks no gate where no host gets another release", async () => {
    const gates = [pool.gate("each")];
    const state = await pool.manager().create(inputs("same\n", { gates }));
    rmSync(pool.notes);
    const drifted = { ...state, drift: { "rack-2": { "/etc/motd": "modified" } } };
    await pool.manager().update(drifted, inputs("same\n", { gates }));
    assert.equal(pool.hosts.read("10.0.0.2").visits?.length, 2);
    assert.deepEqual(pool.judged(), []);
  });

  it("asks no gate on the way back to a release that is pinned", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const [old = ""] = pool.releases();
    const rollout = { gates: [pool.gate("each", 1)] };
    const updated = await pool.manager().update(state, inputs("new\n"));
    await pool.manager().update(updated, inputs("new\n", rollout, { pin: { release: old } }));
    assert.deepEqual(new Set(pool.releases()), new Set([old]));
    assert.deepEqual(pool.judged(), []);
  });
});
