import { strict as assert } from "node:assert";
import { rmSync, writeFileSync } from "node:fs";
import type { ReleaseInputs, ReleaseState } from "../../../src/host/release";
import { diffRelease } from "../../../src/host/release-diff";
import { PartialFailure } from "../../../src/host/release-outcome";
import { until } from "../../support/until";
import { actual, failure, inputs, SIX, stateOf, TestPool } from "./test-pool";

describe("a release of a pool, interrupted during a gate", function () {
  let pool: TestPool;
  beforeEach(() => (pool = new TestPool()));
  afterEach(() => pool.remove());

  const slow = () => pool.gate("canary", 0, "sleep 3600");
  /** An update that is interrupted as soon as the gate has begun. */
  const interrupted = async (state: ReleaseState, news: ReleaseInputs): Promise<PartialFailure> => {
    const running = failure(pool.manager().update(state, news));
    await until(() => pool.judged().length > 0);
    pool.interrupt();
    const error = await running;
    assert.ok(error instanceof PartialFailure);
    assert.match(error.message, /^interrupted: .*no other was begun$/m);
    rmSync(pool.notes);
    return error;
  };

  it("leaves what is done and true, and the next update asks the gate of the canary again", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const [old] = pool.releases();
    const { properties } = await interrupted(state, inputs("new\n", { gates: [slow()] }));
    assert.deepEqual(
      pool.releases().map((release) => release === old),
      [false, true, true, true, true, true],
    );
    assert.deepEqual(actual(properties), pool.releases());
    pool.hosts.forgetVisits(SIX);
    const bad = await failure(pool.manager().update(properties, inputs("new\n", { gates: [pool.gate("canary", 1)] })));
    assert.deepEqual(pool.judged(), ["contract-canary 1 rack-1"], "the first wave is the same again");
    assert.deepEqual(pool.hosts.read("10.0.0.2").visits, [], "host 2 is not reached this time either");
    assert.deepEqual(new Set(pool.releases()), new Set([old]), "the canary goes back to the release of the state");
    const back = stateOf(bad, properties);
    assert.deepEqual(actual(back), pool.releases());

    const done = await pool.manager().update(back, inputs("new\n", { gates: [pool.gate("canary")] }));
    assert.equal(new Set(pool.releases()).size, 1);
    assert.equal(done.unfinished, undefined);
    assert.deepEqual(actual(done), pool.releases());
  });

  it("has an update left to do even where every host has the release", async () => {
    const rollout = { canary: 6, gates: [pool.gate("last", 0, 'grep -q contract "$0.go" || sleep 3600')] };
    writeFileSync(`${pool.notes}.go`, "contract");
    const state = await pool.manager().create(inputs("old\n", rollout));
    rmSync(`${pool.notes}.go`);
    rmSync(pool.notes);
    const news = inputs("new\n", rollout);
    const running = failure(pool.manager().update(state, news));
    await until(() => pool.judged().length > 0);
    pool.interrupt();
    const error = await running;
    assert.match(error.message, /^interrupted: every host has the release, which was not judged to the end$/m);
    assert.ok(error instanceof PartialFailure);
    assert.ok(diffRelease(error.properties, news).changes);
    const done = await pool
      .manager()
      .update(error.properties, inputs("new\n", { canary: 6, gates: [pool.gate("last")] }));
    assert.equal(done.files["/etc/motd"], "new\n");
    assert.ok(!diffRelease(done, inputs("new\n", { canary: 6, gates: [pool.gate("last")] })).changes);
  });
});
