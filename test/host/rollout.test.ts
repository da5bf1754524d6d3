import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { AT_ONCE, rollOut, waves, type Rollout, type RolloutSteps } from "../../src/host/rollout";

const rollout = (change: Partial<Rollout>): Rollout => ({ ...AT_ONCE, parallel: 4, ...change });
const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => `h${String(i).padStart(3, "0")}`);

/** Records what happens; hosts in `bad` fail, hosts in `stuck` cannot be put back. */
function world(bad: readonly string[] = [], stuck: readonly string[] = []) {
  const on = new Set<string>();
  const log: string[] = [];
  const steps: RolloutSteps<string> = {
    apply: async (host) => {
      await Promise.resolve();
      log.push(`apply ${host}`);
      if (bad.includes(host)) throw new Error(`${host} is bad`);
      on.add(host);
      return host;
    },
    rollBack: async (host) => {
      await Promise.resolve();
      log.push(`back ${host}`);
      if (stuck.includes(host)) throw new Error(`${host} is stuck`);
      on.delete(host);
    },
  };
  return { on, log, steps };
}

describe("rollout", () => {
  it("reaches every host exactly once, canaries first, in the order of the keys", () => {
    const share = fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 100 }).map((n) => `${n} %`),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), share, share, (count, canary, batch) => {
        const hosts = keys(count).reverse();
        const plan = waves(hosts, { canary, batch });
        assert.deepEqual(plan.flat(), keys(count));
        assert.ok(plan.every((wave) => wave.length > 0));
      }),
    );
  });

  it("takes named canaries first", () => {
    assert.deepEqual(waves(keys(4), { canary: ["h002"], batch: "100 %" }), [["h002"], ["h000", "h001", "h003"]]);
  });

  it("rounds a share up, so that 25 % of three is one", () => {
    assert.deepEqual(waves(keys(4), { canary: 1, batch: "25 %" }), [["h000"], ["h001"], ["h002"], ["h003"]]);
  });

  it("puts every host back by default, and begins no other wave", async () => {
    const { on, log, steps } = world(["h002"]);
    const result = await rollOut(keys(6), rollout({ canary: 1, batch: 2 }), steps);
    assert.deepEqual([...on], []);
    assert.deepEqual([...result.failed.keys()], ["h002"]);
    assert.deepEqual([...result.rolledBack.keys()].sort(), ["h000", "h001"]);
    assert.deepEqual(result.untouched, ["h003", "h004", "h005"]);
    assert.ok(!log.includes("apply h003"));
  });

  it("puts back only the failed batch where told so", async () => {
    const { on, steps } = world(["h002"]);
    await rollOut(keys(6), rollout({ canary: 1, batch: 2, onFailure: "rollback-batch" }), steps);
    assert.deepEqual([...on], ["h000"]);
  });

  it("stops where it stands where told so", async () => {
    const { on, steps } = world(["h002"]);
    await rollOut(keys(6), rollout({ canary: 1, batch: 2, onFailure: "stop" }), steps);
    assert.deepEqual([...on], ["h000", "h001"]);
  });

  it("says which hosts could not be put back", async () => {
    const { steps } = world(["h001"], ["h000"]);
    const { rolledBack } = await rollOut(keys(2), rollout({ canary: 1 }), steps);
    assert.equal(rolledBack.get("h000")?.message, "h000 is stuck");
  });

  it("settles the wave in progress when interrupted, and begins no other", async () => {
    const { on, steps } = world();
    let interrupted = false;
    const apply = async (host: string): Promise<string> => {
      interrupted = true;
      return steps.apply(host);
    };
    const result = await rollOut(keys(4), rollout({ batch: 2 }), { ...steps, apply, interrupted: () => interrupted });
    assert.deepEqual([...on], ["h000", "h001"]);
    assert.deepEqual(result.untouched, ["h002", "h003"]);
    assert.equal(result.failed.size, 0);
  });

  it("keeps to the number of hosts at once", async () => {
    let now = 0;
    let most = 0;
    const apply = async (host: string): Promise<string> => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now -= 1;
      return host;
    };
    await rollOut(keys(20), rollout({ parallel: 3 }), { ...world().steps, apply });
    assert.equal(most, 3);
  });
});
