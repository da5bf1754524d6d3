import { strict as assert } from "node:assert";
import { actual, failure, inputs, TestPool } from "./test-pool";

describe("a release of a pool with hosts that cannot be reached", function () {
  let pool: TestPool;
  beforeEach(() => (pool = new TestPool()));
  afterEach(() => pool.remove());

  const most = (unreachable: "fail" | "keep") =>
    inputs(
      "new\n",
      { maxUnavailable: 2, gates: [pool.gate("each")] },
      { policy: { ...inputs("").policy, unreachable } },
    );

  it("touches none where they make the update fail", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const before = pool.releases();
    pool.hosts.fault("10.0.0.6", "unreachable");
    const error = await failure(pool.manager().update(state, most("fail")));
    assert.match(error.message, /^rack-6 \(10\.0\.0\.6\)/);
    assert.deepEqual(pool.releases(), before);
    assert.ok(
      !pool.hosts
        .read("10.0.0.1")
        .visits?.slice(1)
        .some((visit) => visit.startsWith("run")),
      "nobody was touched",
    );
  });

  it("works around one, and touches none where as many are down as may be", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    const [old] = pool.releases();
    pool.hosts.fault("10.0.0.6", "unreachable");
    const one = await pool.manager().update(state, most("keep"));
    assert.deepEqual(
      pool.releases().map((release) => release === old),
      [false, false, false, false, false, true],
    );
    assert.deepEqual(actual(one), pool.releases());
    assert.deepEqual(
      pool.judged().map((line) => line.replace("contract-each ", "")),
      ["1 rack-1", "2 rack-2 rack-3", "3 rack-4 rack-5"],
      "nobody judges a host that has not got it",
    );

    const now = pool.releases();
    pool.hosts.fault("10.0.0.5", "unreachable");
    const error = await failure(pool.manager().update(one, { ...most("keep"), files: { "/etc/motd": "newer\n" } }));
    assert.match(
      error.message,
      /^2 of 6 hosts cannot be reached \(rack-5, rack-6\) and at most 2 may be down at once$/m,
    );
    assert.match(error.message, /→ .*raise rollout\.maxUnavailable/);
    assert.deepEqual(pool.releases(), now);
  });

  it("takes the next host for a canary", async () => {
    const state = await pool.manager().create(inputs("old\n"));
    pool.hosts.fault("10.0.0.1", "unreachable");
    const news = most("keep");
    await failure(
      pool.manager().update(state, {
        ...news,
        rollout: { ...news.rollout, maxUnavailable: 6, gates: [pool.gate("canary", 2)] },
      }),
    );
    assert.deepEqual(pool.judged(), ["contract-canary 2 rack-2"]);
  });
});
