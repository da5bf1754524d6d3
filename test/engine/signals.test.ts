import { strict as assert } from "node:assert";
import { withStack, type Operation, type TestStack } from "../support/engine";
import { cliProcess, providers } from "../support/engine/processes";
import { until } from "../support/until";
import { addresses, FakeHosts, pool, toolchain } from "./pool-program";

const COMPONENT = "gofleet-test-go";
const four = addresses(4);
/** Waves: rack-1, then rack-2 and rack-3, then rack-4. */
const rollout = { canary: 1, batch: 2 };
const changed = { env: { GOFLAGS: "-mod=readonly" } };
/** Long enough to hit a wave with a signal, in milliseconds a visit. */
const SLOW = "slow:2500";

describe("a run that is interrupted", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  beforeEach(() => (hosts = new FakeHosts()));
  afterEach(() => hosts.remove());

  const program = (more = {}) => toolchain({ target: pool(4, { rollout }), ...more });
  const releases = () => hosts.releases(four, COMPONENT);
  const actual = async (stack: TestStack): Promise<string[]> => {
    const { actual } = (await stack.resource("go-release"))?.outputs as { actual: Record<string, string> };
    return Object.values(actual).map((line) => line.split(" ")[0] ?? "");
  };

  /** Begins an update on slow hosts and signals the CLI as soon as a wave is under way. */
  async function interrupted(stack: TestStack, wave: number, signal: NodeJS.Signals): Promise<Operation> {
    for (const address of four) hosts.fault(address, SLOW);
    let sent = false;
    const operation = await stack.up({
      expect: "failure",
      onEvent: ({ diagnosticEvent: said }) => {
        const message = said?.message.replace(/<\{%[^%]*%\}>/g, "") ?? "";
        if (sent || !message.startsWith(`wave ${wave} of 3`)) return;
        sent = true;
        assert.equal(providers(stack).length, 1, "the provider works for this stack");
        process.kill(cliProcess(), signal);
      },
    });
    assert.ok(sent, `wave ${wave} was not seen to begin:\n${operation.stdout}${operation.stderr}`);
    for (const address of four) hosts.fault(address);
    return operation;
  }

  for (const [wave, name] of [
    [1, "the canary's wave"],
    [2, "a later wave"],
  ] as const) {
    const done = wave === 1 ? 1 : 3;

    it(`settles ${name} on SIGINT, begins no other, and goes on at the next up`, () =>
      withStack(program(), { env: hosts.env }, async (stack) => {
        await stack.up();
        const [old] = releases();
        stack.program = program(changed);
        const { errors } = await interrupted(stack, wave, "SIGINT");
        assert.match(errors.join("\n"), /interrupted: the wave in progress was settled, no other was begun/);
        assert.match(errors.join("\n"), wave === 1 ? /not reached: rack-2, rack-3, rack-4/ : /not reached: rack-4/);
        const found = releases();
        assert.equal(found.filter((release) => release !== old).length, done);
        assert.deepEqual(await actual(stack), found, "the state says what each host has");
        assert.equal((await stack.state()).pending_operations?.length ?? 0, 0);
        await finish(stack, old);
      }));

    it(`leaves hosts old or new after kill -9 in ${name}, and goes on after a cancel`, () =>
      withStack(program(), { env: hosts.env }, async (stack) => {
        await stack.up();
        const [old] = releases();
        stack.program = program(changed);
        await interrupted(stack, wave, "SIGKILL");
        await orphanEnds(stack);
        assert.equal(releases().filter((release) => release !== old).length, done, "no wave begins without an engine");
        assert.deepEqual(await actual(stack), [old, old, old, old], "nobody was there to write the state");

        const locked = await stack.up({ expect: "failure" });
        assert.match(`${locked.stderr}${locked.error?.message}`, /locked/);
        await stack.automation.cancel();
        await finish(stack, old);
      }));
  }

  it("needs nothing but a cancel and an up after kill -9 of a first installation", () =>
    withStack(program(), { env: hosts.env }, async (stack) => {
      await interrupted(stack, 1, "SIGKILL");
      await orphanEnds(stack);
      assert.equal(releases().filter((release) => release !== "").length, 1);
      await stack.automation.cancel();
      await stack.up();
      assert.equal(new Set(releases()).size, 1);
      assert.deepEqual(await actual(stack), releases());
      assert.equal(
        (await stack.state()).pending_operations?.length,
        1,
        "the engine never drops a pending create itself",
      );
      await stack.refresh({ clearPendingCreates: true });
      assert.equal((await stack.state()).pending_operations?.length ?? 0, 0);
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  /** The next up succeeds, and state and hosts agree afterwards. */
  async function finish(stack: TestStack, old: string | undefined): Promise<void> {
    await stack.up();
    const now = releases();
    assert.equal(new Set(now).size, 1);
    assert.notEqual(now[0], old);
    assert.deepEqual(await actual(stack), now);
    assert.equal((await stack.state()).pending_operations?.length ?? 0, 0);
    assert.deepEqual((await stack.preview()).changes, {});
  }
});

/** A provider that has lost its engine settles its wave, and is gone then. */
function orphanEnds(stack: TestStack): Promise<void> {
  return until(() => providers(stack).length === 0);
}
