import { strict as assert } from "node:assert";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secret } from "@pulumi/pulumi";
import {
  approvalGate,
  commandGate,
  httpGate,
  prometheusGate,
  type GateAfter,
  type RolloutArgs,
  type RolloutGate,
} from "../../src/index";
import { TestStack, withStack, type Operation } from "../support/engine";
import { cliProcess, providers } from "../support/engine/processes";
import { FakePrometheus } from "../support/prometheus";
import { until } from "../support/until";
import { addresses, FakeHosts, pool, toolchain } from "../engine/pool-program";

const COMPONENT = "gofleet-test-go";
const SIX = addresses(6);
const TOKEN = "planted-3f9a-gate-token";

describe("gates through the real engine", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  let server: FakePrometheus;
  let notes: string;
  beforeEach(async () => {
    hosts = new FakeHosts();
    notes = join(hosts.directory, "notes");
    server = new FakePrometheus();
    await server.start();
  });
  afterEach(async () => {
    await server.stop();
    hosts.remove();
  });

  /** Waves: rack-1, then rack-2 and rack-3, then rack-4 and rack-5, then rack-6. */
  const program = (rollout: RolloutArgs, flags?: string) =>
    toolchain({
      target: pool(6, { rollout: { canary: 1, batch: 2, ...rollout } }),
      ...(flags !== undefined && { env: { GOFLAGS: flags } }),
    });
  const start = (first: ReturnType<typeof program>, body: (stack: TestStack) => Promise<void>) =>
    withStack(first, { env: hosts.env }, body);
  const releases = () => hosts.releases(SIX, COMPONENT);
  const actual = async (stack: TestStack): Promise<string[]> => {
    const outputs = (await stack.resource("go-release"))?.outputs as { actual: Record<string, string> };
    return Object.values(outputs.actual).map((line) => line.split(" ")[0] ?? "");
  };
  const said = ({ events }: Operation): string[] =>
    events.flatMap(({ diagnosticEvent }) => diagnosticEvent?.message.replace(/<\{%[^%]*%\}>/g, "").trim() ?? []);
  const judged = () => (existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : []);
  /** A gate that writes down whom it judges, and takes some time. */
  const command = (after: GateAfter, script = "true"): RolloutGate =>
    commandGate({
      name: "contract",
      after,
      command: ["sh", "-c", `echo "$GOFLEET_WAVE $GOFLEET_HOSTS" >>"$0"; ${script}`, notes],
    });
  const errorRate = () =>
    prometheusGate({
      name: "error-rate",
      server: server.url,
      query: 'ratio{instance=~"({addresses}):8080"}',
      above: 0.005,
      unit: "%",
      for: "3 s",
      interval: "1 s",
      bearerToken: secret(TOKEN),
    });

  it("stop a bad release at the canary by what Prometheus says, show no token, and let the fixed one through", () =>
    start(program({}), async (stack) => {
      await stack.up();
      const before = releases();
      hosts.forgetVisits(SIX);
      server.answer = (_asked, number) => (number < 3 ? 0.0012 : 0.041);
      stack.program = program({ gates: [errorRate()] }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      const errors = failed.errors.join("\n");
      assert.match(
        errors,
        /gate error-rate failed after wave 1 of 4 \(rack-1\): 4\.1 % above 0\.5 %; the last values: 0\.12 %/,
      );
      assert.match(errors, /rack-1: put back/);
      assert.match(errors, /not reached: rack-2, rack-3, rack-4, rack-5, rack-6/);
      assert.deepEqual(releases(), before);
      for (const address of SIX.slice(1)) assert.deepEqual(hosts.read(address).visits, [], `${address} was reached`);
      assert.deepEqual(await actual(stack), before);
      assert.ok(server.asked.every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
      assert.equal(server.asked[0]?.query, 'ratio{instance=~"(10\\\\.0\\\\.0\\\\.1):8080"}');
      assert.ok(
        said(failed).some((line) =>
          /^wave 1 of 4, 1 of 6 hosts done: gate error-rate: 0\.12 % of 0\.5 %, \d s left$/.test(line),
        ),
        said(failed).join("\n"),
      );

      assert.match((await stack.previewText()).replace(/\s+/g, " "), /\+ *GOFLAGS=-trimpath/);
      server.answer = () => 0.001;
      const rows = said(await stack.up()).flatMap(
        (line) => /^wave (\d) of 4, (\d) of 6 hosts done/.exec(line)?.slice(1).join(" ") ?? [],
      );
      assert.deepEqual(rows, [...rows].sort(), "what is said arrives in the order in which it happens");
      assert.equal(new Set(releases()).size, 1);
      assert.notEqual(releases()[0], before[0]);
      assert.deepEqual((await stack.preview()).changes, {});
      assert.deepEqual(await stack.leaksOf(TOKEN), []);
    }));

  it("put every host back when batch 2 is refused, and say so in state and preview", () =>
    start(program({}), async (stack) => {
      await stack.up();
      const before = releases();
      hosts.forgetVisits(SIX);
      server.answer = ({ query }) => (query.includes("3") ? 1 : 0);
      const gates = [
        prometheusGate({
          server: server.url,
          query: 'bad{host=~"{hosts}"}',
          above: 0,
          for: "1 s",
          interval: "1 s",
          after: "each",
        }),
      ];
      stack.program = program({ gates }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /gate prometheus failed after wave 2 of 4 \(rack-2, rack-3\): 1 above 0/);
      assert.deepEqual(releases(), before);
      assert.equal(hosts.read("10.0.0.1").visits?.length, 2, "the canary went there and back");
      assert.deepEqual(hosts.read("10.0.0.4").visits, []);
      assert.deepEqual(await actual(stack), before);
      assert.notDeepEqual((await stack.preview()).changes, {});
      server.answer = () => 0;
      await stack.up();
      assert.equal(new Set(releases()).size, 1);
      assert.deepEqual(await actual(stack), releases());
    }));

  it("leave the canary with `stop`, and judge it again at the next update", () =>
    start(program({}), async (stack) => {
      await stack.up();
      const [old] = releases();
      stack.program = program({ onFailure: "stop", gates: [command("canary", "exit 1")] }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /left there: rack-1/);
      const found = releases();
      assert.deepEqual(
        found.map((release) => release === old),
        [false, true, true, true, true, true],
      );
      assert.deepEqual(await actual(stack), found);
      stack.program = program({ onFailure: "stop", gates: [command("canary")] }, "-trimpath");
      await stack.up();
      assert.deepEqual(judged(), ["1 rack-1", "1 rack-1"]);
      assert.equal(new Set(releases()).size, 1);
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  it("change no host when only they change", () =>
    start(program({}), async (stack) => {
      await stack.up();
      hosts.forgetVisits(SIX);
      stack.program = program({ maxUnavailable: 2, gates: [command("each"), httpGate({ url: "http://{address}/" })] });
      assert.equal((await stack.up()).changes["go-release"], "update");
      for (const address of SIX) assert.deepEqual(hosts.read(address).visits, []);
      assert.deepEqual(judged(), []);
      assert.deepEqual((await stack.preview()).changes, {});
    }));

  it("wait for a person, and say on the row how to approve", () =>
    start(program({}), async (stack) => {
      await stack.up();
      const approval = (deadline: `${number} s`) =>
        approvalGate({ by: { file: join(hosts.directory, "approved-{release}") }, deadline, interval: "1 s" });
      stack.program = program({ gates: [approval("60 s")] }, "-trimpath");
      let how: string | undefined;
      const up = await stack.up({
        onEvent: ({ diagnosticEvent }) => {
          const [, path] =
            /gate approval waits for approval: echo approve > (\S+)/.exec(diagnosticEvent?.message ?? "") ?? [];
          if (how !== undefined || path === undefined) return;
          how = path.replace(/<\{%[^%]*%\}>/g, "");
          writeFileSync(how, "approve\n");
        },
      });
      assert.ok(how?.endsWith(`approved-${releases()[0]}`), how);
      assert.ok(
        said(up).some((line) => line.includes("1 of 6 hosts done: gate approval: waits for approval (echo approve")),
      );
      stack.program = program({ gates: [approval("2 s")] }, "-mod=readonly");
      const failed = await stack.up({ expect: "failure" });
      assert.match(
        failed.errors.join("\n"),
        /gate approval failed after wave 1 of 4 .*nobody approved by the deadline; echo approve >/,
      );
    }));

  describe("ended by the operator", () => {
    /** Begins an update and signals the CLI while the gate of a wave is at work. */
    async function interrupted(stack: TestStack, wave: number, signal: NodeJS.Signals): Promise<Operation> {
      rmSync(notes, { force: true });
      const gates = [command("each", `[ "$GOFLEET_WAVE" != ${wave} ] || sleep 300`)];
      stack.program = program({ gates }, "-trimpath");
      const running = stack.up({ expect: "failure" });
      await until(() => judged().length >= wave);
      assert.equal(providers(stack).length, 1, "the provider works for this stack");
      const began = Date.now();
      process.kill(cliProcess(), signal);
      const operation = await running;
      assert.ok(Date.now() - began < 200_000, "the gate is ended at once");
      return operation;
    }

    /** The next up asks the first wave's gate again and succeeds; state and hosts agree afterwards. */
    async function finish(stack: TestStack, old: string | undefined): Promise<void> {
      rmSync(notes, { force: true });
      stack.program = program({ gates: [command("each")] }, "-trimpath");
      await stack.up();
      assert.deepEqual(judged(), ["1 rack-1", "2 rack-2 rack-3", "3 rack-4 rack-5", "4 rack-6"]);
      assert.equal(new Set(releases()).size, 1);
      assert.notEqual(releases()[0], old);
      assert.deepEqual(await actual(stack), releases());
      assert.equal((await stack.state()).pending_operations?.length ?? 0, 0);
      assert.deepEqual((await stack.preview()).changes, {});
    }

    for (const [wave, done] of [
      [1, 1],
      [2, 3],
      [4, 6],
    ] as const) {
      it(`settle on SIGINT during the gate of wave ${wave}, and are asked again at the next up`, () =>
        start(program({}), async (stack) => {
          await stack.up();
          const [old] = releases();
          const { errors } = await interrupted(stack, wave, "SIGINT");
          assert.match(errors.join("\n"), /interrupted: /);
          assert.equal(releases().filter((release) => release !== old).length, done);
          assert.deepEqual(await actual(stack), releases(), "the state says what each host has");
          await finish(stack, old);
        }));

      it(`begin no other wave after kill -9 during the gate of wave ${wave}, and go on after a cancel`, () =>
        start(program({}), async (stack) => {
          await stack.up();
          const [old] = releases();
          await interrupted(stack, wave, "SIGKILL");
          await until(() => providers(stack).length === 0);
          assert.equal(releases().filter((release) => release !== old).length, done);
          await stack.automation.cancel();
          await finish(stack, old);
        }));
    }

    it("are not disturbed by a second operator, whom the lock of the backend stops", () =>
      start(program({}), async (stack) => {
        await stack.up();
        stack.program = program(
          { gates: [command("canary", 'until [ -e "$0.go" ]; do sleep 0.2; done')] },
          "-trimpath",
        );
        const first = stack.up();
        await until(() => judged().length > 0);
        const other = await TestStack.open(program({}, "-mod=readonly"), stack.workDir, { env: hosts.env });
        const second = await other.up({ expect: "failure" });
        assert.match(`${second.stderr}${second.error?.message}`, /locked/);
        writeFileSync(`${notes}.go`, "");
        await first;
        assert.equal(new Set(releases()).size, 1);
        assert.deepEqual(await actual(stack), releases());
      }));
  });
});
