import { strict as assert } from "node:assert";
import { MovedError } from "../../src/host/errors";
import { GateFailure, GateStopped } from "../../src/host/gates/gate-run";
import { RolloutWatch } from "../../src/host/rollout-watch";
import { UnreachableError } from "../../src/host/transport";
import { FakeClock } from "./gates/world";

const ACTUAL = { release: "bbbbbbbbbbbbbbbb", machine: "m", facts: "" };
const HOUR = 3600;

describe("the hosts that a rollout has come past", () => {
  const never = new AbortController().signal;
  /** Hosts that took the release now, or had it; `gone` says what has become of one at a time. */
  function world(gone: (host: string, seconds: number) => Error | undefined = () => undefined) {
    const clock = new FakeClock();
    const asked: string[] = [];
    const watch = new RolloutWatch({
      interval: 10,
      parallel: 2,
      clock,
      ask: async (host, { release }) => {
        const seconds = clock.now() / 1000;
        asked.push(`${host} at ${seconds}`);
        assert.equal(release, ACTUAL.release);
        const error = gone(host, seconds);
        if (error !== undefined) throw error;
      },
    });
    watch.took("rack-1", ACTUAL, clock.now());
    return { clock, asked, watch };
  }
  const moved = (host: string) => new MovedError(`${host} went back`, "aaaaaaaaaaaaaaaa");
  /** A gate of an hour; says whether it was ended before. */
  const gate = (clock: FakeClock, seconds: number) => async (end: AbortSignal) => {
    await clock.sleep(seconds, end);
    if (end.aborted) throw new GateStopped("stopped");
  };

  it("are not asked before they can have looked themselves, unless they had the release already", async () => {
    const { clock, asked, watch } = world();
    watch.took("rack-2", ACTUAL, undefined);
    const all = async () => {
      for (const host of ["rack-1", "rack-2", "rack-3"]) await watch.still(host);
    };
    await all();
    assert.deepEqual(asked, ["rack-2 at 0"]);
    await clock.sleep(10, never);
    await all();
    assert.deepEqual(asked, ["rack-2 at 0", "rack-1 at 10", "rack-2 at 10"]);
  });

  it("end a gate within half a minute where one has gone back, so that nobody approves what is gone", async () => {
    const { clock, asked, watch } = world((host, seconds) => (seconds > 40 ? moved(host) : undefined));
    await watch.during(never, gate(clock, HOUR));
    assert.deepEqual(asked, ["rack-1 at 30", "rack-1 at 60"]);
    await assert.rejects(watch.still("rack-1"), MovedError);
  });

  it("stay gone back where they do not answer any more, for the gate that it ended has no verdict", async () => {
    const gone = (host: string, seconds: number) =>
      seconds === 30 ? moved(host) : new UnreachableError("no answer", false);
    const { clock, watch } = world(gone);
    await watch.during(never, gate(clock, HOUR));
    await clock.sleep(1, never);
    await assert.rejects(watch.still("rack-1"), MovedError);
  });

  it("leave a gate its verdict", async () => {
    const { clock, asked, watch } = world();
    await watch.during(never, gate(clock, 50));
    assert.deepEqual(asked, ["rack-1 at 30"]);
    await assert.rejects(
      watch.during(never, () => Promise.reject(new GateFailure("not good"))),
      /not good/,
    );
    const gone = world((host) => moved(host));
    const refused = gone.watch.during(never, async (end) => {
      await gone.clock.sleep(HOUR, end);
      throw new GateFailure("not good");
    });
    await assert.rejects(refused, /not good/);
  });

  it("end no gate because one does not answer for a while", async () => {
    const { clock, asked, watch } = world(() => new UnreachableError("no answer", false));
    await watch.during(never, gate(clock, 100));
    assert.equal(asked.length, 3);
  });

  it("do not keep an operator who interrupts", async () => {
    const { clock, asked, watch } = world();
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    await assert.rejects(watch.during(stop.signal, gate(clock, HOUR)), GateStopped);
    assert.deepEqual(asked, []);
  });
});
