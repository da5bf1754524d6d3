import { strict as assert } from "node:assert";
import { HostError } from "../../src/host/errors";
import { HostSession } from "../../src/host/host-session";
import { UnreachableError, type ExecRequest, type Transport } from "../../src/host/transport";

interface Step {
  /** Verb the operator is expected to send. */
  readonly verb: string;
  readonly lines?: readonly object[];
  readonly code?: number;
  readonly stderr?: string;
}

const result = (status: string, rc: number, more: object = {}): object => ({
  ev: "result",
  tx: "t1",
  status,
  rc,
  from: "old",
  to: "new",
  current: rc === 0 ? "new" : "old",
  msg: "",
  ...more,
});
const facts = { ev: "facts", machine: "m", os: "debian", version: "12", arch: "amd64", systemd: 252 };

/** A host that answers each exec by the next step of a script, and remembers what it was asked. */
function scripted(steps: readonly Step[]): Transport & { readonly asked: ExecRequest[] } {
  const left = [...steps];
  const asked: ExecRequest[] = [];
  return {
    place: "test",
    asked,
    close: () => undefined,
    exec: async (request) => {
      await Promise.resolve();
      asked.push(request);
      const step = left.shift();
      assert.equal(request.verb, step?.verb, "the verb the operator sent");
      for (const line of step?.lines ?? []) request.onLine(JSON.stringify(line));
      return { code: step?.code ?? 0, stderr: step?.stderr ?? "" };
    },
  };
}

const run = (transport: Transport, options = { deadline: 20, connect: 2 }, before?: () => Promise<void>) =>
  new HostSession("rack-1", transport, options).run({ component: "c", tx: "t1", release: "new" }, new Map(), before);

describe("an operation on one host", function () {
  it("is one exec where all goes well", async () => {
    const host = scripted([{ verb: "run", lines: [facts, result("ok", 0)] }]);
    assert.equal((await run(host)).result.current, "new");
    assert.equal(host.asked.length, 1);
  });

  it("follows again after a cut, as often as it takes, and takes the result from there", async () => {
    const host = scripted([
      { verb: "run", lines: [facts, { ev: "staged" }], code: 255, stderr: "Connection reset" },
      { verb: "follow", code: 255, stderr: "Connection refused" },
      { verb: "follow", lines: [{ ev: "switched" }, result("ok", 0)] },
    ]);
    assert.equal((await run(host)).result.status, "ok");
  });

  it("begins again where the transaction was never launched", async () => {
    const host = scripted([
      { verb: "run", lines: [facts], code: 255, stderr: "cut" },
      { verb: "follow", lines: [result("failed", 66)], code: 66 },
      { verb: "run", lines: [facts, result("ok", 0)] },
    ]);
    assert.equal((await run(host)).result.status, "ok");
  });

  it("starts an agent that died again, but not for ever", async () => {
    const death: Step = { verb: "run", lines: [facts, result("failed", 75, { msg: "the agent died" })], code: 75 };
    await assert.rejects(run(scripted([death, death, death])), /the agent died/);
  });

  it("begins again where the agent was killed while it staged, and gives up when that goes on", async () => {
    const killed: Step = { verb: "run", lines: [facts], code: 137, stderr: "Permission denied, said a tool" };
    const died: Step = { verb: "follow", lines: [result("failed", 75)], code: 75 };
    const again: Step = { verb: "run", lines: [facts, result("ok", 0)] };
    assert.equal((await run(scripted([killed, died, again]))).result.status, "ok");
    await assert.rejects(run(scripted([killed, died, killed, killed])), (error: Error) => {
      assert.ok(error instanceof UnreachableError && error.started);
      assert.match(error.message, /ended before it was done \(exit code 137\)/);
      return true;
    });
  });

  it("never takes an agent that was killed for a host that cannot be reached", async () => {
    const host = scripted([{ verb: "remove", lines: [facts], code: 137 }]);
    const session = new HostSession("rack-1", host, { deadline: 20, connect: 2 });
    await assert.rejects(session.ask("remove", { component: "c" }), (error: Error) => {
      assert.ok(!(error instanceof UnreachableError));
      assert.match(error.message, /ended before it was done/);
      return true;
    });
  });

  it("tells a reverted release from a refused one, with what the probe said", async () => {
    const probe = { ev: "probe", name: "go", ok: false, out: "go is missing" };
    const host = scripted([
      { verb: "run", lines: [facts, probe, result("reverted", 20, { msg: "probe go failed" })], code: 20 },
    ]);
    await assert.rejects(run(host), (error: unknown) => {
      assert.ok(error instanceof HostError);
      assert.match(
        error.message,
        /rack-1 \(test\): release new failed, back on old: probe go failed\n {2}probe go: go is missing/,
      );
      return true;
    });
  });

  it("confirms over a new connection, and its answer alone counts", async () => {
    const host = scripted([
      { verb: "run", lines: [facts, { ev: "armed", msg: "5" }, result("unconfirmed", 0)] },
      { verb: "confirm", code: 255, stderr: "Connection refused" },
      { verb: "confirm", lines: [result("ok", 0)] },
    ]);
    assert.equal((await run(host)).result.status, "ok");
    assert.deepEqual(
      host.asked.map(({ newConnection }) => newConnection === true),
      [false, true, true],
    );
  });

  it("reports a host that went back because no new connection came through", async () => {
    const host = scripted([
      { verb: "run", lines: [facts, { ev: "armed", msg: "60" }, result("unconfirmed", 0)] },
      ...Array.from({ length: 2 }, () => ({ verb: "confirm", lines: [result("failed", 65)], code: 65 })).slice(0, 1),
      // It is still at it.
      { verb: "state", lines: [{ ev: "state", txn: "unconfirmed" }, result("ok", 0, { current: "new" })] },
      {
        verb: "state",
        lines: [
          { ev: "state", txn: "" },
          { ev: "decision", from: "new", to: "old", msg: "not confirmed in time", evidence: "/var/e" },
          result("ok", 0, { current: "old" }),
        ],
      },
    ]);
    await assert.rejects(
      run(host),
      /back on old: not reachable over a new connection in time.*\n {2}evidence {2}\/var\/e/,
    );
  });

  it("reverts at once where the check before the confirmation fails", async () => {
    const host = scripted([
      { verb: "run", lines: [facts, { ev: "armed", msg: "60" }, result("unconfirmed", 0)] },
      { verb: "revert", lines: [result("reverted", 0, { current: "old" })] },
    ]);
    await assert.rejects(
      run(host, undefined, () => Promise.reject(new Error("smoke test failed"))),
      /release new failed, back on old: smoke test failed/,
    );
  });

  for (const [stderr, words] of [
    ["Host key verification failed.", /host key is not the pinned or known one/],
    ["root@h: Permission denied (publickey).", /login was refused/],
    ["sudo: a password is required", /sudo wants a password/],
    ["Sorry, try again.\nsudo: 1 incorrect password attempt", /sudo refused the password/],
    ["ssh: Could not resolve hostname h: Name or service not known", /does not resolve/],
  ] as const) {
    it(`does not try again after: ${stderr.split("\n")[0]}`, async () => {
      const host = scripted([{ verb: "run", code: stderr.includes("udo") ? 1 : 255, stderr }]);
      await assert.rejects(run(host), (error: unknown) => {
        assert.ok(error instanceof UnreachableError);
        assert.equal(error.started, false);
        assert.match(error.message, words);
        return true;
      });
      assert.equal(host.asked.length, 1);
    });
  }

  it("tries for a first connection until its time is over, and says what ssh said", async () => {
    const refused: Step = { verb: "run", code: 255, stderr: "connect to host h port 22: Connection refused" };
    await assert.rejects(
      run(scripted(Array.from({ length: 9 }, () => refused)), { deadline: 20, connect: 1 }),
      /no answer: .*Connection refused/,
    );
  });

  it("says that it does not know when the connection is lost for good after the start", async () => {
    const host = scripted([
      { verb: "run", lines: [facts], code: 255, stderr: "cut" },
      ...Array.from({ length: 9 }, () => ({ verb: "follow", code: 255, stderr: "no route to host" })),
    ]);
    await assert.rejects(run(host, { deadline: 2, connect: 1 }), (error: unknown) => {
      assert.ok(error instanceof UnreachableError && error.started);
      return true;
    });
  });

  it("is an error where the check fails after a host that does not wait for it, and the host has the release", async () => {
    const host = scripted([{ verb: "run", lines: [facts, result("ok", 0)] }]);
    const failing = () => Promise.reject(new Error("hook afterHealthy failed: 500"));
    await assert.rejects(run(host, { deadline: 20, connect: 2 }, failing), (error: unknown) => {
      assert.ok(error instanceof HostError && error.away);
      assert.equal(error.result.current, "new");
      assert.match(
        error.message,
        /release new failed and stays, nothing was taken back: hook afterHealthy failed: 500/,
      );
      return true;
    });
    assert.equal(host.asked.length, 1);
  });

  it("takes lines that are not the agent's for output", async () => {
    const transport = scripted([{ verb: "run", lines: [facts, result("ok", 0)] }]);
    const exec = transport.exec.bind(transport);
    transport.exec = (request) => {
      request.onLine("Welcome to rack-1! {not json");
      return exec(request);
    };
    assert.equal((await run(transport)).result.status, "ok");
  });
});
