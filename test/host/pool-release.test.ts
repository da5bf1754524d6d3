import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connect } from "../../src/host/connect";
import { REAL_CLOCK, type Clock } from "../../src/host/gates/clock";
import { HostQueue } from "../../src/host/host-queue";
import { parseActual, planInputs, type ReleaseInputs, type ReleaseState } from "../../src/host/release";
import { diffRelease } from "../../src/host/release-diff";
import { ReleaseManager } from "../../src/host/release-manager";
import { PartialFailure } from "../../src/host/release-outcome";
import type { CommandGate, GateAfter } from "../../src/model/gates";
import { AT_ONCE, type Rollout } from "../../src/model/rollout";
import { EMPTY_PLAN } from "../../src/plan/host-plan";
import { addresses, FakeHosts } from "../engine/pool-program";
import { removeTree } from "../support/remove-tree";
import { until } from "../support/until";

const COMPONENT = "motd";
const SIX = addresses(6);

describe("a release of a pool with gates", function () {
  let hosts: FakeHosts;
  let connect: Connect;
  let notes: string;
  let said: string[];
  let stop: AbortController;
  beforeEach(() => {
    hosts = new FakeHosts();
    notes = join(mkdtempSync(join(tmpdir(), "gofleet-gates-")), "notes");
    process.env["GOFLEET_FAKE_STATE"] = hosts.directory;
    const load = createRequire(__filename);
    Reflect.deleteProperty(load.cache, load.resolve("../support/fake-hosts.cjs"));
    ({ connect } = load("../support/fake-hosts.cjs") as { connect: Connect });
    said = [];
    stop = new AbortController();
  });
  afterEach(() => {
    delete process.env["GOFLEET_FAKE_STATE"];
    hosts.remove();
    removeTree(join(notes, ".."));
  });

  const note = (text: string) => void said.push(text);
  const manager = (clock?: Clock) =>
    new ReleaseManager({
      ...(clock === undefined ? {} : { clock }),
      connect,
      progress: { status: note, info: note, warn: note },
      stop: stop.signal,
      queue: new HostQueue(),
    });
  /** A gate that writes down whom it judges, and refuses the given wave. */
  const gate = (after: GateAfter, bad = 0, script = "true"): CommandGate => ({
    kind: "command",
    name: `contract-${after}`,
    after,
    command: [
      "sh",
      "-c",
      `echo "$GOFLEET_GATE $GOFLEET_WAVE $GOFLEET_HOSTS" >>"$0"; ${script}; [ "$GOFLEET_WAVE" != ${bad} ] || { echo broken; exit 1; }`,
      notes,
    ],
    timeout: 3600,
  });
  const judged = () => (existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : []);
  const inputs = (text: string, rollout: Partial<Rollout> = {}, more: Partial<ReleaseInputs> = {}): ReleaseInputs => {
    const file = { path: "/etc/motd", mode: "0644", owner: "root", group: "root", place: "link", text } as const;
    return {
      component: COMPONENT,
      stack: "o/p/s",
      resourceUrn: "urn:pulumi:s::p::t::motd",
      files: { [file.path]: text },
      plan: planInputs({ ...EMPTY_PLAN, files: [file] }),
      hosts: Object.fromEntries(SIX.map((address, i) => [`rack-${i + 1}`, `ssh root@${address}`])),
      policy: {
        unreachable: "fail",
        adopt: "refuse",
        onNewMachine: "fail",
        keep: 3,
        deadline: 60,
        connect: 1,
        unsupported: "refuse",
      },
      rollout: { ...AT_ONCE, canary: 1, batch: 2, ...rollout },
      ...more,
    };
  };
  const releases = () => hosts.releases(SIX, COMPONENT);
  const actual = ({ actual: lines }: ReleaseState) =>
    SIX.map((_, i) => parseActual(lines[`rack-${i + 1}`])?.release ?? "");
  const failure = async (work: Promise<unknown>): Promise<Error> => {
    try {
      await work;
    } catch (error) {
      assert.ok(error instanceof Error);
      return error;
    }
    assert.fail("it went through");
  };
  /** The state that a failure leaves. */
  const stateOf = (error: Error, before: ReleaseState): ReleaseState =>
    error instanceof PartialFailure ? error.properties : before;

  it("never lets a release reach host 2 that the canary's gate refuses, and goes through once it is good", async () => {
    const state = await manager().create(inputs("old\n"));
    const before = releases();
    hosts.forgetVisits(SIX);
    const error = await failure(manager().update(state, inputs("bad\n", { gates: [gate("canary", 1)] })));
    assert.ok(!(error instanceof PartialFailure), "the state stays as it was");
    assert.equal(
      error.message,
      [
        "gate contract-canary failed after wave 1 of 4 (rack-1): sh ended with 1: broken",
        "rack-1: put back",
        "not reached: rack-2, rack-3, rack-4, rack-5, rack-6",
      ].join("\n"),
    );
    assert.deepEqual(releases(), before);
    for (const address of SIX.slice(1)) assert.deepEqual(hosts.read(address).visits, []);
    const fixed = await manager().update(state, inputs("good\n", { gates: [gate("canary")] }));
    assert.equal(new Set(releases()).size, 1);
    assert.deepEqual(actual(fixed), releases());
    assert.deepEqual(judged(), ["contract-canary 1 rack-1", "contract-canary 1 rack-1"]);
  });

  it("puts a host of which the state knows nothing back on the release of the state", async () => {
    const state = await manager().create(inputs("old\n"));
    const [old = ""] = releases();
    hosts.fault("10.0.0.1", "lost");
    const lost = stateOf(await failure(manager().update(state, inputs("new\n"))), state);
    hosts.fault("10.0.0.1");
    assert.equal(actual(lost)[0], "unknown");
    const error = await failure(manager().update(lost, inputs("bad\n", { gates: [gate("canary", 1)] })));
    assert.match(error.message, /^rack-1: put back$/m);
    assert.deepEqual(new Set(releases()), new Set([old]));
    assert.deepEqual(actual(stateOf(error, lost)), releases());
  });

  for (const [onFailure, left] of [
    ["rollback", 0],
    ["rollback-batch", 1],
    ["stop", 3],
  ] as const) {
    it(`leaves ${left} hosts on a release that batch 2 is refused for, with ${onFailure}, and says so`, async () => {
      const state = await manager().create(inputs("old\n"));
      const [old] = releases();
      const news = inputs("bad\n", { onFailure, gates: [gate("each", 2)] });
      const error = await failure(manager().update(state, news));
      assert.match(error.message, /^gate contract-each failed after wave 2 of 4 \(rack-2, rack-3\): .*broken$/m);
      assert.match(error.message, /^not reached: rack-4, rack-5, rack-6$/m);
      assert.equal(releases().filter((release) => release !== old).length, left);
      const found = stateOf(error, state);
      assert.deepEqual(actual(found), releases());
      assert.ok(diffRelease(found, news).changes);
      if (left > 0) assert.match(error.message, new RegExp(`^on [0-9a-f]{16}, left there: rack-1`, "m"));

      const fixed = await manager().update(found, inputs("good\n", { gates: [gate("each")] }));
      assert.equal(new Set(releases()).size, 1);
      assert.deepEqual(actual(fixed), releases());
      assert.equal(fixed.unfinished, undefined);
      assert.ok(!diffRelease(fixed, inputs("good\n", { gates: [gate("each")] })).changes);
    });
  }

  it("leaves an irreversible release where it is when its gate refuses it, says why, and visits those hosts again", async () => {
    const state = await manager().create(inputs("old\n"));
    const [old] = releases();
    const migrates = (text: string, bad = 0): ReleaseInputs => {
      const given = inputs(text, { onFailure: "rollback", gates: bad === 0 ? [] : [gate("each", bad)] });
      return { ...given, plan: { ...given.plan, irreversible: true } };
    };
    const error = await failure(manager().update(state, migrates("bad\n", 2)));
    assert.equal(releases().filter((release) => release !== old).length, 3);
    assert.match(
      error.message,
      /^on [0-9a-f]{16}, left there, for it is declared irreversible: rack-1, rack-2, rack-3$/m,
    );
    const found = stateOf(error, state);
    assert.deepEqual(actual(found), releases());

    hosts.forgetVisits(SIX);
    const done = await manager().update(found, migrates("bad\n"));
    assert.equal(new Set(releases()).size, 1);
    assert.ok(
      SIX.every((address) => (hosts.read(address).visits ?? []).length > 0),
      "a host that has it may not be well on it",
    );
    assert.deepEqual(actual(done), releases());
  });

  it("puts all back when the whole pool is refused at the end", async () => {
    const state = await manager().create(inputs("old\n"));
    const before = releases();
    const error = await failure(manager().update(state, inputs("bad\n", { gates: [gate("last", 4)] })));
    assert.match(error.message, /gate contract-last failed after wave 4 of 4 \(rack-1, rack-2, .*rack-6\)/);
    assert.deepEqual(releases(), before);
    assert.deepEqual(judged(), ["contract-last 4 rack-1 rack-2 rack-3 rack-4 rack-5 rack-6"]);
  });

  it("takes a first release off again that its gate refuses", async () => {
    await failure(manager().create(inputs("bad\n", { gates: [gate("canary", 1)] })));
    assert.deepEqual(releases(), ["", "", "", "", "", ""]);
  });

  describe("interrupted during a gate", () => {
    const slow = () => gate("canary", 0, "sleep 3600");
    /** An update that is interrupted as soon as the gate has begun. */
    const interrupted = async (state: ReleaseState, news: ReleaseInputs): Promise<PartialFailure> => {
      const running = failure(manager().update(state, news));
      await until(() => judged().length > 0);
      stop.abort();
      const error = await running;
      stop = new AbortController();
      assert.ok(error instanceof PartialFailure);
      assert.match(error.message, /^interrupted: .*no other was begun$/m);
      rmSync(notes);
      return error;
    };

    it("leaves what is done and true, and the next update asks the gate of the canary again", async () => {
      const state = await manager().create(inputs("old\n"));
      const [old] = releases();
      const { properties } = await interrupted(state, inputs("new\n", { gates: [slow()] }));
      assert.deepEqual(
        releases().map((release) => release === old),
        [false, true, true, true, true, true],
      );
      assert.deepEqual(actual(properties), releases());
      hosts.forgetVisits(SIX);
      const bad = await failure(manager().update(properties, inputs("new\n", { gates: [gate("canary", 1)] })));
      assert.deepEqual(judged(), ["contract-canary 1 rack-1"], "the first wave is the same again");
      assert.deepEqual(hosts.read("10.0.0.2").visits, [], "host 2 is not reached this time either");
      assert.deepEqual(new Set(releases()), new Set([old]), "the canary goes back to the release of the state");
      const back = stateOf(bad, properties);
      assert.deepEqual(actual(back), releases());

      const done = await manager().update(back, inputs("new\n", { gates: [gate("canary")] }));
      assert.equal(new Set(releases()).size, 1);
      assert.equal(done.unfinished, undefined);
      assert.deepEqual(actual(done), releases());
    });

    it("has an update left to do even where every host has the release", async () => {
      const rollout = { canary: 6, gates: [gate("last", 0, 'grep -q contract "$0.go" || sleep 3600')] };
      writeFileSync(`${notes}.go`, "contract");
      const state = await manager().create(inputs("old\n", rollout));
      rmSync(`${notes}.go`);
      rmSync(notes);
      const news = inputs("new\n", rollout);
      const running = failure(manager().update(state, news));
      await until(() => judged().length > 0);
      stop.abort();
      const error = await running;
      assert.match(error.message, /^interrupted: every host has the release, which was not judged to the end$/m);
      assert.ok(error instanceof PartialFailure);
      assert.ok(diffRelease(error.properties, news).changes);
      stop = new AbortController();
      const done = await manager().update(error.properties, inputs("new\n", { canary: 6, gates: [gate("last")] }));
      assert.equal(done.files["/etc/motd"], "new\n");
      assert.ok(!diffRelease(done, inputs("new\n", { canary: 6, gates: [gate("last")] })).changes);
    });
  });

  describe("that hosts watch by themselves", () => {
    const WHY = "served.service ended with exit code 2";
    /** With a host's first look at once. */
    const watched = (text: string, rollout: Partial<Rollout>, more: Partial<ReleaseInputs> = {}): ReleaseInputs => {
      const { plan, ...rest } = inputs(text, rollout, more);
      return { ...rest, plan: { ...plan, watch: WATCH } };
    };
    const WATCH = { seconds: 600, interval: 0, onTrip: "revert", together: [], script: "exit 0\n" } as const;
    /** A gate that passes each wave but waits in the given one until it is let go. */
    const held = (wave: number) =>
      gate("each", 0, `[ "$GOFLEET_WAVE" != ${wave} ] || until [ -e "$0.go" ]; do sleep 0.05; done`);
    const letGo = () => writeFileSync(`${notes}.go`, "");
    const inGate = (wave: number) => until(() => judged().length >= wave && judged()[0] !== "");

    for (const [host, wave, onFailure, left, unreached] of [
      [1, 1, "rollback", [], "rack-2, rack-3, rack-4, rack-5, rack-6"],
      [1, 1, "stop", [], "rack-2, rack-3, rack-4, rack-5, rack-6"],
      [1, 2, "rollback", [], "rack-4, rack-5, rack-6"],
      [1, 2, "stop", [2, 3], "rack-4, rack-5, rack-6"],
      [2, 3, "rollback-batch", [1, 4, 5], "rack-6"],
    ] as const) {
      it(`stops in wave ${wave} where rack-${host} has gone back while its gate looked on, with ${onFailure}`, async () => {
        const state = await manager().create(watched("old\n", {}));
        const [old = ""] = releases();
        const running = failure(manager().update(state, watched("bad\n", { onFailure, gates: [held(wave)] })));
        await inGate(wave);
        hosts.goesBack(SIX[host - 1] ?? "", COMPONENT, WHY);
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
          releases().flatMap((release, i) => (release === old ? [] : [i + 1])),
          left,
        );
        const found = stateOf(error, state);
        assert.deepEqual(actual(found), releases(), "the state says what each host has");
        assert.ok(diffRelease(found, watched("bad\n", {})).changes);
        const fixed = await manager().update(found, watched("good\n", {}));
        assert.equal(new Set(releases()).size, 1);
        assert.deepEqual(actual(fixed), releases());
      });
    }

    it("is no success where a host has gone back before the end", async () => {
      const state = await manager().create(watched("old\n", {}));
      const before = releases();
      const running = failure(manager().update(state, watched("bad\n", { canary: 6, gates: [held(1)] })));
      await inGate(1);
      hosts.goesBack("10.0.0.4", COMPONENT, WHY);
      letGo();
      const error = await running;
      assert.match(error.message, /^rack-4 .*went back by itself/);
      assert.deepEqual(releases(), before);
      assert.ok(!(error instanceof PartialFailure), "all are where the state has them");
    });

    it("is not waited for by a gate or in a pause once the canary has gone back", async () => {
      const hurried: Clock = { ...REAL_CLOCK, sleep: (seconds, signal) => REAL_CLOCK.sleep(seconds / 1000, signal) };
      for (const rollout of [{ gates: [gate("canary", 0, "sleep 3600")] }, { pause: 3600_000 }]) {
        const state = await manager().create(watched("old\n", {}));
        const before = releases();
        rmSync(notes, { force: true });
        hosts.forgetVisits(SIX);
        const running = failure(manager(hurried).update(state, watched("bad\n", { ...rollout, batch: 5 })));
        await until(() => hosts.releases(SIX, COMPONENT)[0] !== before[0]);
        hosts.goesBack("10.0.0.1", COMPONENT, WHY);
        assert.match((await running).message, /^rack-1 .*went back by itself.*\nnot reached: rack-2, /);
        assert.deepEqual(releases(), before);
        await manager().delete(state);
      }
    });

    it("is a failure to its hooks, and so is one that a gate refuses", async () => {
      const note = (on: string) => ({
        on: "operator" as const,
        command: ["sh", "-c", `echo "$GOFLEET_HOST ${on}: $GOFLEET_REASON" >>"$0.hooks"`, notes],
        timeout: 60,
        failure: "fail" as const,
      });
      const hooks = { onFailure: note("onFailure"), afterRollback: note("afterRollback") };
      const state = await manager().create(watched("old\n", {}));
      const running = failure(manager().update(state, watched("bad\n", { gates: [held(1)] }, { hooks })));
      await inGate(1);
      hosts.goesBack("10.0.0.1", COMPONENT, WHY);
      letGo();
      await running;
      const told = () => readFileSync(`${notes}.hooks`, "utf8").trim().split("\n");
      assert.equal(told().length, 2);
      assert.match(told()[0] ?? "", new RegExp(`^rack-1 onFailure: .*${WHY}`));
      assert.match(told()[1] ?? "", new RegExp(`^rack-1 afterRollback: .*${WHY}`));
      await failure(manager().update(state, watched("bad\n", { gates: [gate("canary", 1)] }, { hooks })));
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
        rmSync(`${notes}.go`, { force: true });
        rmSync(notes, { force: true });
        const state = await manager().create(watched("old\n", {}));
        const running = manager()
          .update(state, watched("new\n", { onFailure: "stop", gates: [held(1)] }, { policy }))
          .catch((error: unknown) => error);
        await inGate(1);
        hosts.fault("10.0.0.1", "unreachable");
        letGo();
        const ended = await running;
        hosts.fault("10.0.0.1");
        if (unreachable === "keep") {
          assert.ok(!(ended instanceof Error), String(ended));
          assert.ok(said.some((line) => /^rack-1 .*; it may have gone back since it took the release$/.test(line)));
        } else {
          assert.ok(ended instanceof PartialFailure);
          assert.equal(actual(ended.properties)[0], "unknown");
          assert.match(ended.message, /^not reached: rack-2, /m);
        }
        await manager().delete(state);
      }
    });

    it("costs nothing where no watch takes it back, or none can have looked yet", async () => {
      for (const watch of [undefined, { ...WATCH, onTrip: "report" as const }, { ...WATCH, interval: 3600 }]) {
        const news = watched("old\n", { gates: [gate("each")] });
        const { watch: _, ...plan } = news.plan;
        const state = await manager().create({ ...news, plan: { ...plan, ...(watch && { watch }) } });
        for (const address of SIX) {
          assert.ok(!hosts.read(address).visits?.includes("state"), String(hosts.read(address).visits));
        }
        await manager().delete(state);
        hosts.forgetVisits(SIX);
      }
    });
  });

  it("visits no host and asks no gate for other settings of the rollout", async () => {
    const state = await manager().create(inputs("same\n"));
    hosts.forgetVisits(SIX);
    const news = inputs(
      "same\n",
      { batch: 3, pause: 10, maxUnavailable: 3, gates: [gate("each", 1)] },
      { gateSecrets: { "contract-each": "t0ken" } },
    );
    assert.deepEqual(diffRelease(state, news), { changes: true, replaces: [] });
    const updated = await manager().update(state, news);
    for (const address of SIX) assert.deepEqual(hosts.read(address).visits, []);
    assert.deepEqual(judged(), []);
    assert.deepEqual(updated.rollout, news.rollout);
    assert.ok(!diffRelease(updated, news).changes);
  });

  it("asks no gate where no host gets another release", async () => {
    const gates = [gate("each")];
    const state = await manager().create(inputs("same\n", { gates }));
    rmSync(notes);
    const drifted = { ...state, drift: { "rack-2": { "/etc/motd": "modified" } } };
    await manager().update(drifted, inputs("same\n", { gates }));
    assert.equal(hosts.read("10.0.0.2").visits?.length, 2);
    assert.deepEqual(judged(), []);
  });

  it("asks no gate on the way back to a release that is pinned", async () => {
    const state = await manager().create(inputs("old\n"));
    const [old = ""] = releases();
    const rollout = { gates: [gate("each", 1)] };
    const updated = await manager().update(state, inputs("new\n"));
    await manager().update(updated, inputs("new\n", rollout, { pin: { release: old } }));
    assert.deepEqual(new Set(releases()), new Set([old]));
    assert.deepEqual(judged(), []);
  });

  describe("with hosts that cannot be reached", () => {
    const most = (unreachable: "fail" | "keep") =>
      inputs("new\n", { maxUnavailable: 2, gates: [gate("each")] }, { policy: { ...inputs("").policy, unreachable } });

    it("touches none where they make the update fail", async () => {
      const state = await manager().create(inputs("old\n"));
      const before = releases();
      hosts.fault("10.0.0.6", "unreachable");
      const error = await failure(manager().update(state, most("fail")));
      assert.match(error.message, /^rack-6 \(10\.0\.0\.6\)/);
      assert.deepEqual(releases(), before);
      assert.ok(
        !hosts
          .read("10.0.0.1")
          .visits?.slice(1)
          .some((visit) => visit.startsWith("run")),
        "nobody was touched",
      );
    });

    it("works around one, and touches none where as many are down as may be", async () => {
      const state = await manager().create(inputs("old\n"));
      const [old] = releases();
      hosts.fault("10.0.0.6", "unreachable");
      const one = await manager().update(state, most("keep"));
      assert.deepEqual(
        releases().map((release) => release === old),
        [false, false, false, false, false, true],
      );
      assert.deepEqual(actual(one), releases());
      assert.deepEqual(
        judged().map((line) => line.replace("contract-each ", "")),
        ["1 rack-1", "2 rack-2 rack-3", "3 rack-4 rack-5"],
        "nobody judges a host that has not got it",
      );

      const now = releases();
      hosts.fault("10.0.0.5", "unreachable");
      const error = await failure(manager().update(one, { ...most("keep"), files: { "/etc/motd": "newer\n" } }));
      assert.match(
        error.message,
        /^2 of 6 hosts cannot be reached \(rack-5, rack-6\) and at most 2 may be down at once$/m,
      );
      assert.match(error.message, /→ .*raise rollout\.maxUnavailable/);
      assert.deepEqual(releases(), now);
    });

    it("takes the next host for a canary", async () => {
      const state = await manager().create(inputs("old\n"));
      hosts.fault("10.0.0.1", "unreachable");
      const news = most("keep");
      await failure(
        manager().update(state, {
          ...news,
          rollout: { ...news.rollout, maxUnavailable: 6, gates: [gate("canary", 2)] },
        }),
      );
      assert.deepEqual(judged(), ["contract-canary 2 rack-2"]);
    });
  });

  it("says on the row where it is, how many are done, and what the gate sees", async () => {
    const tested = () => said.some((line) => line.includes("contract-canary: testing, "));
    const created = manager().create(
      inputs("old\n", { gates: [gate("canary", 0, 'echo testing; until [ -e "$0.go" ]; do sleep 0.05; done')] }),
    );
    await until(tested);
    writeFileSync(`${notes}.go`, "");
    await created;
    for (const line of [
      /^wave 1 of 4, 0 of 6 hosts done: rack-1$/,
      /^wave 1 of 4, 1 of 6 hosts done: rack-1 done$/,
      /^wave 1 of 4, 1 of 6 hosts done: gate contract-canary: testing, \d+ min left$/,
      /^wave 1 of 4, 1 of 6 hosts done: gate contract-canary: sh passed$/,
      /^wave 2 of 4, 1 of 6 hosts done: rack-2, rack-3$/,
    ]) {
      const seen = said.some((text) => line.test(text));
      assert.ok(seen, `${String(line)}\n\n${said.join("\n")}`);
    }
  });
});
