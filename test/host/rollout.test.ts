import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { PoolRoom } from "../../src/host/pool-room";
import { rollOut, type PassedWave, type RolloutSteps } from "../../src/host/rollout";
import { AT_ONCE, mostUnavailable, waves, type Rollout } from "../../src/model/rollout";

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
      return undefined;
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
    const stuck = rolledBack.get("h000");
    assert.equal(stuck?.ok === false && stuck.error.message, "h000 is stuck");
  });

  it("settles the wave in progress when interrupted, and begins no other", async () => {
    const { on, steps } = world();
    let interrupted = false;
    const apply = async (host: string): Promise<string | undefined> => {
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

  describe("with gates", () => {
    /** A gate that has something against one wave, by its number. */
    const refusing = (wave: number) => async (passed: PassedWave) => {
      await Promise.resolve();
      if (passed.number === wave) throw new Error(`wave ${passed.number} is not good`);
    };

    /** What is left on the new release when a gate refuses: by wave, for each policy. */
    const TRUTH: readonly [wave: number, onFailure: Rollout["onFailure"], on: readonly string[]][] = [
      [1, "rollback", []],
      [1, "rollback-batch", []],
      [1, "stop", ["h000"]],
      [2, "rollback", []],
      [2, "rollback-batch", ["h000"]],
      [2, "stop", ["h000", "h001", "h002"]],
      [4, "rollback", []],
      [4, "rollback-batch", ["h000", "h001", "h002", "h003", "h004"]],
      [4, "stop", ["h000", "h001", "h002", "h003", "h004", "h005"]],
    ];
    for (const [wave, onFailure, left] of TRUTH) {
      it(`leaves ${left.length} of 6 hosts on a release refused after wave ${wave}, with ${onFailure}`, async () => {
        const { on, log, steps } = world();
        const result = await rollOut(keys(6), rollout({ canary: 1, batch: 2, onFailure }), {
          ...steps,
          judge: refusing(wave),
        });
        assert.deepEqual([...on].sort(), left);
        assert.equal(result.stopped?.message, `wave ${wave} is not good`);
        assert.equal(result.interrupted, false);
        const reached = log.filter((line) => line.startsWith("apply")).length;
        assert.equal(reached, wave === 4 ? 6 : 2 * wave - 1, "no wave after the refused one was begun");
        assert.equal(result.untouched.length, 6 - reached);
      });
    }

    it("never lets host 2 see what the canary's gate refused", async () => {
      const { log, steps } = world();
      await rollOut(keys(6), rollout({ canary: 1, batch: 5 }), { ...steps, judge: refusing(1) });
      assert.deepEqual(log, ["apply h000", "back h000"]);
    });

    it("are told which wave is the first and which the last, and who took it", async () => {
      const seen: PassedWave[] = [];
      const judge = async (wave: PassedWave) => void seen.push(wave);
      await rollOut(keys(4), rollout({ canary: 1, batch: 2 }), { ...world().steps, judge });
      assert.deepEqual(seen, [
        { number: 1, of: 3, first: true, last: false, hosts: ["h000"], all: ["h000"] },
        { number: 2, of: 3, first: false, last: false, hosts: ["h001", "h002"], all: ["h000", "h001", "h002"] },
        { number: 3, of: 3, first: false, last: true, hosts: ["h003"], all: ["h000", "h001", "h002", "h003"] },
      ]);
    });

    it("are not asked where a host has failed already", async () => {
      let asked = 0;
      const judge = async () => void (asked += 1);
      await rollOut(keys(3), rollout({ canary: 1, batch: 2 }), { ...world(["h000"]).steps, judge });
      assert.equal(asked, 0);
    });

    it("tell hosts that go back why", async () => {
      const why: (string | undefined)[] = [];
      const rollBack = async (_host: string, error: Error | undefined) => {
        why.push(error?.message);
        return undefined;
      };
      await rollOut(keys(2), rollout({ canary: 1 }), { ...world().steps, rollBack, judge: refusing(1) });
      assert.deepEqual(why, ["wave 1 is not good"]);
    });

    it("have no verdict when interrupted: hosts that have the release keep it, no other wave begins", async () => {
      const { on, steps } = world();
      let interrupted = false;
      const judge = async () => {
        interrupted = true;
        throw new Error("stopped");
      };
      const result = await rollOut(keys(3), rollout({ canary: 1, batch: 1 }), {
        ...steps,
        judge,
        interrupted: () => interrupted,
      });
      assert.deepEqual([...on], ["h000"]);
      assert.equal(result.interrupted, true);
      assert.equal(result.stopped, undefined);
      assert.deepEqual(result.untouched, ["h001", "h002"]);
      assert.equal(result.rolledBack.size, 0);
    });

    it("are owed a canary: where none could be reached, the next hosts are canaries", async () => {
      const waves: string[][] = [];
      const firsts: string[][] = [];
      const { steps } = world();
      await rollOut(keys(5), rollout({ canary: 1, batch: 4 }), {
        ...steps,
        apply: async (host) => (host === "h000" ? undefined : steps.apply(host)),
        wave: (_number, _of, hosts) => void waves.push([...hosts]),
        judge: async ({ first, hosts }) => void (first && firsts.push([...hosts])),
      });
      assert.deepEqual(waves, [["h000"], ["h001"], ["h002", "h003", "h004"]]);
      assert.deepEqual(firsts, [["h001"]]);
    });
  });

  describe("where hosts look after the release by themselves", () => {
    /** Hosts that are gone, each from the moment on when so many waves are through. */
    const leaving = (when: Readonly<Record<string, number>>) => {
      const { on, log, steps } = world();
      const asked: string[][] = [];
      let through = 0;
      const more: RolloutSteps<string> = {
        ...steps,
        judge: async ({ number }) => {
          through = number;
          asked.push([]);
          for (const host of Object.keys(when)) if (through >= (when[host] ?? 0)) on.delete(host);
        },
        still: async (host) => {
          asked.at(-1)?.push(host);
          if (!on.has(host)) throw new Error(`${host} went back by itself`);
        },
      };
      return { on, log, asked, steps: more };
    };

    /** What is left on the new release when a host goes back after a wave that its gate let pass, for each policy. */
    const TRUTH: readonly [
      host: string,
      after: number,
      onFailure: Rollout["onFailure"],
      on: readonly string[],
      untouched: number,
    ][] = [
      ["h000", 1, "rollback", [], 5],
      ["h000", 1, "rollback-batch", [], 5],
      ["h000", 1, "stop", [], 5],
      ["h000", 2, "rollback", [], 3],
      ["h000", 2, "rollback-batch", ["h001", "h002"], 3],
      ["h000", 2, "stop", ["h001", "h002"], 3],
      ["h001", 3, "rollback", [], 1],
      ["h001", 3, "rollback-batch", ["h000", "h003", "h004"], 1],
      ["h001", 3, "stop", ["h000", "h002", "h003", "h004"], 1],
      ["h005", 4, "rollback", [], 0],
      ["h005", 4, "rollback-batch", ["h000", "h001", "h002", "h003", "h004"], 0],
      ["h005", 4, "stop", ["h000", "h001", "h002", "h003", "h004"], 0],
    ];
    for (const [host, after, onFailure, left, untouched] of TRUTH) {
      it(`takes ${host}, which goes back after wave ${after}, for a host that failed, with ${onFailure}`, async () => {
        const { on, steps } = leaving({ [host]: after });
        const result = await rollOut(keys(6), rollout({ canary: 1, batch: 2, onFailure }), steps);
        assert.deepEqual(
          [...result.failed].map(([key, { message }]) => [key, message]),
          [[host, `${host} went back by itself`]],
        );
        assert.deepEqual([...on].sort(), left);
        assert.deepEqual([...result.done.keys()].sort(), left, "the result is what the hosts have");
        assert.equal(result.untouched.length, untouched);
        assert.equal(result.stopped, undefined);
      });
    }

    it("asks once a wave all that have it, after the pause and the gate", async () => {
      const { asked, steps } = leaving({});
      let pauses = 0;
      await rollOut(keys(4), rollout({ canary: 1, batch: 2, pause: 30 }), {
        ...steps,
        wait: async () => {
          pauses += 1;
          assert.deepEqual(asked.at(-1), [], "nobody was asked before the pause");
        },
      });
      assert.equal(pauses, 2, "none after the last wave");
      assert.deepEqual(asked, [["h000"], ["h000", "h001", "h002"], ["h000", "h001", "h002", "h003"]]);
    });

    it("names both where a gate fails and a host has gone back, and puts back what either is to blame for", async () => {
      const { on, steps } = leaving({ h000: 3 });
      const result = await rollOut(keys(6), rollout({ canary: 1, batch: 2, onFailure: "rollback-batch" }), {
        ...steps,
        judge: async (wave) => {
          await steps.judge?.(wave);
          if (wave.number === 3) throw new Error("not good");
        },
      });
      assert.equal(result.stopped?.message, "not good");
      assert.deepEqual([...result.failed.keys()], ["h000"]);
      assert.deepEqual([...on], ["h001", "h002"]);
    });

    it("says what hosts have where it is interrupted, too", async () => {
      const { steps } = leaving({ h000: 1 });
      let interrupted = false;
      const result = await rollOut(keys(3), rollout({ canary: 1, batch: 1 }), {
        ...steps,
        judge: async (wave) => {
          await steps.judge?.(wave);
          interrupted = true;
          throw new Error("stopped");
        },
        interrupted: () => interrupted,
      });
      assert.deepEqual([[...result.done.keys()], [...result.failed.keys()]], [[], ["h000"]]);
      assert.equal(result.stopped, undefined);
      assert.deepEqual(result.untouched, ["h001", "h002"]);
    });
  });

  it("does not wait out a pause when interrupted", async () => {
    let waited = 0;
    let interrupted = false;
    const { on, steps } = world();
    const wait = async (seconds: number): Promise<void> => {
      waited += seconds;
      interrupted = true;
    };
    const result = await rollOut(keys(3), rollout({ canary: 1, pause: 30 }), {
      ...steps,
      wait,
      interrupted: () => interrupted,
    });
    assert.equal(waited, 30);
    assert.deepEqual([...on], ["h000"]);
    assert.equal(result.interrupted, true);
  });

  describe("where only so many hosts may be down", () => {
    const maxUnavailable = 2;

    it("works on no more at once, going back included", async () => {
      let now = 0;
      let most = 0;
      const busy = async <T>(work: () => Promise<T>): Promise<T> => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now -= 1;
        return work();
      };
      const { on, steps } = world(["h007"]);
      const room = new PoolRoom({ maxUnavailable }, 8);
      await rollOut(keys(8), rollout({ batch: 8, parallel: 8 }), {
        apply: (host) => busy(() => steps.apply(host)),
        rollBack: (host, why) => busy(() => steps.rollBack(host, why)),
        room: (wave) => room.for(wave),
      });
      assert.equal(most, 2);
      assert.deepEqual([...on], []);
    });

    it("counts hosts that cannot be reached, whether they have to be visited or not", () => {
      const room = new PoolRoom({ maxUnavailable }, 8);
      assert.equal(room.for(["h000", "h001"]), 2);
      room.lost("h007");
      assert.equal(room.for(["h000", "h001"]), 1);
      room.lost("h007");
      assert.equal(room.for(["h000", "h001"]), 1, "no host counts twice");
      room.lost("h006");
      assert.throws(
        () => room.for(["h000"]),
        /2 of 8 hosts cannot be reached \(h006, h007\) and at most 2 may be down/,
      );
      assert.equal(room.for(["h006", "h007"]), 2, "trying those again takes nobody down");
    });

    it("stops where it stands when there is no room left", async () => {
      const room = new PoolRoom({ maxUnavailable: 1 }, 4);
      const { on, steps } = world();
      const result = await rollOut(keys(4), rollout({ canary: 1, batch: 1 }), {
        ...steps,
        apply: async (host) => {
          if (host !== "h001") return steps.apply(host);
          room.lost(host);
          return undefined;
        },
        room: (wave) => room.for(wave),
      });
      assert.match(result.stopped?.message ?? "", /1 of 4 hosts cannot be reached \(h001\)/);
      assert.deepEqual([...on], ["h000"], "going back would take more hosts down");
      assert.deepEqual(result.untouched, ["h002", "h003"]);
    });

    it("rounds a share down, but to no less than one host", () => {
      assert.equal(mostUnavailable({ maxUnavailable: "25 %" }, 7), 1);
      assert.equal(mostUnavailable({ maxUnavailable: "25 %" }, 3), 1);
      assert.equal(mostUnavailable({}, 7), 7);
    });
  });
});
