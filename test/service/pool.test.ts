import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { commandGate, hostPool, httpGate, type GoServiceUnitArgs, type RolloutArgs } from "../../src/index";
import { hostRelease, said, stateReleases, target } from "../hosts/programs";
import { hosts, type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { cliProcess, providers } from "../support/engine/processes";
import { COMPONENT, property, ServiceLab } from "./support/service-lab";

const PORT = 7080;
const RESOURCE = "served-release";
/** A file of the host that gives a release variables of its own there: the same release fails on one host only. */
const OF_HOST = "/etc/default/served";
const NAMES = ["rack-1", "rack-2", "rack-3", "rack-4", "rack-5", "rack-6"] as const;
type Name = (typeof NAMES)[number];
const WAVES: readonly (readonly [number, readonly [Name, ...Name[]]])[] = [
  [1, ["rack-1"]],
  [2, ["rack-2", "rack-3"]],
  [3, ["rack-4", "rack-5"]],
  [4, ["rack-6"]],
];
const KEPT = `/var/lib/gofleet/${COMPONENT}`;
/** Says that it has begun, and passes when it may; both files are its arguments. */
const LOOKS_ON = `touch "$0"; until [ -e "$1" ]; do sleep 0.1; done`;

/**
 * One stack from its first up to its end: each test goes on from where the one before left it. Waves: rack-1, then rack-2
 * and rack-3, then rack-4 and rack-5, then rack-6.
 */
describe("a service on a pool of six real hosts", function () {
  this.timeout(400_000);
  let lab: ServiceLab;
  let rack: Readonly<Record<Name, Host>>;
  let stack: TestStack;

  before(async function () {
    lab = await ServiceLab.start(this);
    const booted: [Name, Host][] = [];
    for (const name of NAMES) booted.push([name, await hosts.boot(name)]);
    rack = Object.fromEntries(booted) as Record<Name, Host>;
    stack = await TestStack.create(run("v1"));
  });

  after(async () => {
    stack?.remove();
    await lab?.stop();
  });

  interface Told extends Partial<GoServiceUnitArgs> {
    readonly rollout?: RolloutArgs;
    readonly told?: Readonly<Record<string, string>>;
  }

  const run = (version: string, { rollout, told, ...more }: Told = {}) =>
    lab.program(
      hostPool({
        hosts: Object.fromEntries(NAMES.map((name) => [name, target(rack[name])])),
        rollout: { canary: 1, batch: 2, ...rollout },
      }),
      {
        release: lab.release(version),
        env: { SERVED_LISTEN: `:${PORT}`, ...told },
        listen: undefined,
        health: { get: `http://127.0.0.1:${PORT}/readyz`, within: "20 s" },
        // But where a host goes back by itself in the middle of a rollout; what comes later has tests of its own.
        rollback: { watch: false },
        ...more,
      },
    );

  /** Answers what clients need, beyond being ready. */
  const works: RolloutArgs = {
    gates: [
      httpGate({ name: "works", url: `http://{address}:${PORT}/work`, for: "2 s", interval: "1 s", after: "each" }),
    ],
  };

  const onEach = async <T>(names: readonly Name[], ask: (host: Host) => Promise<T>): Promise<Record<string, T>> =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await ask(rack[name])] as const)));

  const everywhere = <T>(value: T, names: readonly Name[] = NAMES) =>
    Object.fromEntries(names.map((name) => [name, value]));

  /** The version that each host serves. */
  const versions = (names: readonly Name[] = NAMES): Promise<Record<string, string>> =>
    onEach(names, async (host) => (await host.exec(`curl -sS --fail http://127.0.0.1:${PORT}/version`)).trim());

  const releases = () => onEach(NAMES, (host) => hostRelease(host, COMPONENT));

  /** Agents tidy up, and tell who changed what, after they have answered. */
  const atRest = (host: Host): Promise<string> =>
    host.exec(
      `for i in $(seq 600); do
        [ -n "$(systemctl list-units --no-legend 'gofleet-${COMPONENT}-*')" ] || exit 0
        sleep 0.1
      done
      exit 1`,
      { timeout: 70_000 },
    );

  /** All that an operator's visit would change: the service's process, and gofleet's files with their times. */
  const traces = (names: readonly Name[]) =>
    onEach(names, async (host) => {
      await atRest(host);
      const files = "/etc/gofleet /var/lib/gofleet /usr/local/lib/gofleet";
      return [
        await property(host, "MainPID"),
        await host.exec(`find ${files} -printf '%p %l %T@\n' | sort | sha256sum`),
      ];
    });

  /** What became of releases on a host, the latest two. */
  async function lately(name: Name): Promise<string[]> {
    await atRest(rack[name]);
    const lines = await rack[name].exec("journalctl --namespace=gofleet -t gofleet-audit -o cat --no-pager -n 2");
    return lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>)
      .map(({ action, outcome }) => `${action} ${outcome}`);
  }

  /** The host is back, and keeps what is known of the release it left, as the error says. */
  async function hasEvidence(failed: string, name: Name, cause: RegExp): Promise<void> {
    const [, path = ""] = new RegExp(`^\\s*${name}: put back\\s+evidence {2}(\\S+)$`, "m").exec(failed) ?? [];
    assert.match(path, new RegExp(`^${KEPT}/runs/[\\w-]+/left$`), failed);
    assert.match(await rack[name].exec(`cat ${path}/summary`), cause);
  }

  /** Every host, the state and the next preview: the old release, and the new one still to come. */
  async function isAsBefore(version: string, before: Record<string, string>): Promise<void> {
    assert.deepEqual(await versions(), everywhere(version));
    assert.deepEqual(await releases(), before);
    assert.deepEqual(await stateReleases(stack, RESOURCE), before);
    const { changes } = await stack.preview();
    assert.equal(changes[RESOURCE], "update", "the next preview shows what is still to be done");
  }

  /** Every host and the state: one new release, and nothing left to do. */
  async function isThrough(version: string, before: Record<string, string>): Promise<void> {
    assert.deepEqual(await versions(), everywhere(version));
    const found = await releases();
    assert.equal(new Set(Object.values(found)).size, 1);
    assert.notEqual(found["rack-1"], before["rack-1"]);
    assert.deepEqual(await stateReleases(stack, RESOURCE), found);
    assert.deepEqual((await stack.preview()).changes, {});
  }

  it("comes on everywhere", async () => {
    await stack.up();
    await isThrough("v1", {});
  });

  it("goes back on the canary where it cannot start there, and never reaches the second host", async () => {
    const [before, others] = [await releases(), await traces(NAMES.slice(1))];
    stack.program = run("v2", { told: { SERVED_CRASH: "1" } });
    const failed = said(await stack.up({ expect: "failure" }));
    assert.match(failed, new RegExp(`rack-1 .*: release \\w{16} failed, back on ${before["rack-1"]}`));
    assert.match(failed, /served v2 cannot start: told to crash/);
    assert.match(failed, /not reached: rack-2, rack-3, rack-4, rack-5, rack-6/);
    assert.deepEqual(await traces(NAMES.slice(1)), others);
    await isAsBefore("v1", before);
  });

  it("goes back everywhere where it fails on a host of the second batch, and the fixed release goes through", async () => {
    const [before, last] = [await releases(), await traces(["rack-6"])];
    await rack["rack-5"].exec(`echo SERVED_CRASH=1 >${OF_HOST}`);
    stack.program = run("v2", { environmentFiles: [`-${OF_HOST}`] });
    const failed = said(await stack.up({ expect: "failure" }));
    assert.match(failed, new RegExp(`rack-5 .*: release \\w{16} failed, back on ${before["rack-5"]}`));
    for (const name of NAMES.slice(0, 4)) assert.match(failed, new RegExp(`^\\s*${name}: put back$`, "m"));
    assert.match(failed, /not reached: rack-6/);
    assert.deepEqual(await lately("rack-1"), ["apply ok", "rollback ok"]);
    assert.deepEqual(await lately("rack-4"), ["apply ok", "rollback ok"]);
    assert.deepEqual(await lately("rack-5"), ["apply ok", "apply reverted"]);
    assert.deepEqual(await traces(["rack-6"]), last);
    await isAsBefore("v1", before);

    stack.program = run("v3");
    await stack.up();
    await isThrough("v3", before);
  });

  it("goes back on the canary where a gate refuses it there, and never reaches the second host", async () => {
    const [before, others] = [await releases(), await traces(NAMES.slice(1))];
    stack.program = run("v4", { rollout: works, told: { SERVED_BROKEN: "1" } });
    const failed = said(await stack.up({ expect: "failure" }));
    assert.match(failed, /gate works failed after wave 1 of 4 \(rack-1\): .*500/);
    await hasEvidence(failed, "rack-1", /^cause {5}gate works failed after wave 1 of 4 \(rack-1\): .*500/m);
    assert.match(failed, /not reached: rack-2, rack-3, rack-4, rack-5, rack-6/);
    assert.deepEqual(await traces(NAMES.slice(1)), others);
    await isAsBefore("v3", before);
  });

  it("goes back everywhere where a gate refuses the second batch, and the fixed release goes through", async () => {
    const [before, last] = [await releases(), await traces(["rack-6"])];
    await rack["rack-5"].exec(`echo SERVED_BROKEN=1 >${OF_HOST}`);
    stack.program = run("v4", { rollout: works, environmentFiles: [`-${OF_HOST}`] });
    const failed = said(await stack.up({ expect: "failure" }));
    assert.match(failed, /gate works failed after wave 3 of 4 \(rack-4, rack-5\): .*500/);
    for (const name of NAMES.slice(0, 5))
      await hasEvidence(failed, name, /^cause {5}gate works failed after wave 3 of 4/m);
    assert.deepEqual(await lately("rack-5"), ["apply ok", "rollback ok"]);
    assert.deepEqual(await traces(["rack-6"]), last);
    await isAsBefore("v3", before);

    await rack["rack-5"].exec(`rm ${OF_HOST}`);
    await stack.up();
    await isThrough("v4", before);
  });

  it("stops where the canary goes back by itself while its gate looks on, and never reaches the second host", async () => {
    const [before, others] = [await releases(), await traces(NAMES.slice(1))];
    const [begun, go] = ["begun", "go"].map((name) => join(stack.workDir, name)) as [string, string];
    const trigger = "/run/served.go";
    stack.program = run("v5", {
      // It asks what serves, not which release that is.
      rollout: { gates: [commandGate({ name: "looks-on", command: ["sh", "-c", LOOKS_ON, begun, go] })] },
      told: { SERVED_TRIGGER: trigger, SERVED_CRASH_AFTER: "1ms" },
      rollback: { watch: { window: "30 min", every: "1 s" } },
    });
    const running = stack.up({ expect: "failure" });
    const canary = rack["rack-1"];
    for (let turn = 0; !existsSync(begun) && turn < 1200; turn++) await pause(100);
    assert.deepEqual(await versions(["rack-1"]), { "rack-1": "v5" });
    await canary.exec(`touch ${trigger}`);
    await canary.exec(
      `for i in $(seq 1200); do
        [ -s ${KEPT}/decision ] && [ ! -e /etc/gofleet/${COMPONENT}/txn ] && exit 0
        sleep 0.1
      done
      exit 1`,
      { timeout: 130_000 },
    );
    writeFileSync(go, "");
    const failed = said(await running);
    await canary.exec(`rm ${trigger}`);
    const [, evidence = ""] =
      new RegExp(
        `rack-1 .*: no longer on \\w{16}: went back by itself at \\S+, from \\w{16} to ${before["rack-1"]}: .*ended with exit code 2; evidence: (\\S+)`,
      ).exec(failed) ?? [];
    assert.match(await canary.exec(`head -n 1 ${evidence}/summary`), /^cause {5}crash( loop)?: .* with exit code 2$/m);
    assert.match(failed, /not reached: rack-2, rack-3, rack-4, rack-5, rack-6/);
    assert.deepEqual(await traces(NAMES.slice(1)), others);
    await isAsBefore("v4", before);
  });

  for (const [wave, names] of WAVES) {
    it(`is finished by the next up where the operator was killed in the middle of wave ${wave}`, async () => {
      const [before, version] = [await releases(), `k${wave}`];
      const [{ [names[0]]: serving = "" }, later] = [
        await versions(),
        NAMES.slice(NAMES.indexOf(names[0]) + names.length),
      ];
      // Time enough to be killed while the hosts of the wave start it.
      await onEach(names, (host) => host.exec(`echo SERVED_SLOW_START=4s >${OF_HOST}`));
      stack.program = run(version, { environmentFiles: [`-${OF_HOST}`] });
      const starts = new RegExp(`^wave ${wave} of 4, .*(${names.join("|")}): restart `);
      let killed = false;
      await stack.up({
        expect: "failure",
        onEvent: ({ diagnosticEvent }) => {
          if (killed || !starts.test(diagnosticEvent?.message ?? "")) return;
          killed = true;
          process.kill(cliProcess(), "SIGKILL");
        },
      });
      assert.ok(killed, `wave ${wave} was never seen`);
      for (let tries = 0; providers(stack).length > 0 && tries < 600; tries++) await pause(100);
      assert.deepEqual(providers(stack), [], "the provider is gone as well");
      assert.deepEqual(await versions(later), everywhere(serving, later));
      await onEach(names, (host) => host.exec(`rm ${OF_HOST}`));
      await stack.automation.cancel();
      await stack.up();
      await isThrough(version, before);
      assert.equal((await stack.state()).pending_operations?.length ?? 0, 0);
    });
  }
});
