import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GoServiceUnitArgs, WatchArgs } from "../../src/index";
import { hostRelease, said, stateReleases } from "../hosts/programs";
import { atStep } from "../hosts/steps";
import { hosts, type Host } from "../hosts/support/hosts";
import { pause } from "../hosts/support/machine";
import { TestStack, type Operation } from "../support/engine";
import { cliProcess } from "../support/engine/processes";
import { answer, COMPONENT, ServiceLab, told, UNIT } from "./support/service-lab";

/** What the service waits for before it goes wrong. */
const TRIGGER = "/run/served.go";
const KEPT = `/var/lib/gofleet/${COMPONENT}`;
const GET = "http://127.0.0.1:7070";
const WATCH: WatchArgs = { window: "30 min", every: "1 s", readinessFailures: 2 };

interface Failure {
  readonly env: Readonly<Record<string, string>>;
  readonly more?: Partial<GoServiceUnitArgs>;
  readonly watch?: WatchArgs;
  /** Lines for the host's own drop-in of the unit. */
  readonly dropIn?: string;
  /** What the host gives as the reason. */
  readonly reason: RegExp;
  /** The cause in the evidence. */
  readonly cause: RegExp;
}

const FAILURES: Record<string, Failure> = {
  "crashes after a while": {
    env: { SERVED_CRASH_AFTER: "1ms" },
    reason: /ended with exit code 2/,
    cause: /^cause {5}crash( loop)?: .* with exit code 2$/m,
  },
  "goes on crashing": {
    env: { SERVED_CRASH_AFTER: "1ms" },
    watch: { ...WATCH, exitCodes: { "2": "note" }, readinessFailures: 100 },
    reason: /was restarted \d+ times, at most 2 would do/,
    cause: /^cause {5}crash loop: .* ended \d+ times, the last time with exit code 2$/m,
  },
  "hangs, and its watchdog ends it": {
    env: { SERVED_HANG_AFTER: "1ms" },
    more: {
      health: {
        readiness: { get: `${GET}/readyz` },
        liveness: { get: `${GET}/livez`, timeout: "2 s", failures: 1 },
      },
      watchdog: { within: "8 s" },
    },
    reason: /hang: the watchdog ended/,
    cause: /^cause {5}hang: .* gave no sign of life for 8s/m,
  },
  "is given no more memory": {
    env: { SERVED_EAT_AFTER: "1ms" },
    dropIn: "LimitDATA=300M",
    reason: /ended with exit code 2/,
    cause: /^cause {5}out of memory: .* was given no more by the kernel: fatal error: (runtime: )?out of memory/m,
  },
};

/** From the first up on: each test goes on from where the one before left it, with v1 on the host. */
describe("a service that its host looks after", function () {
  this.timeout(300_000);
  let lab: ServiceLab;
  let host: Host;
  let stack: TestStack;

  before(async function () {
    lab = await ServiceLab.start(this);
    host = await hosts.boot("watched");
    stack = await TestStack.create(run("v1"));
    await stack.up();
  });

  after(async () => {
    stack?.remove();
    await lab?.stop();
  });

  const run = (
    version: string,
    env: Readonly<Record<string, string>> = {},
    watch = WATCH,
    more: Partial<GoServiceUnitArgs> = {},
  ) =>
    lab.program(host, {
      release: lab.release(version),
      env: told({ SERVED_TRIGGER: TRIGGER, ...env }),
      rollback: { watch },
      ...more,
    });

  const text = ({ diagnostics }: Operation): string => diagnostics.map(({ message }) => message).join("\n");

  /** Puts a release on that is well, and then is not; ends when the host has gone back. */
  async function goesWrong({ env, watch, more, dropIn }: Partial<Failure>): Promise<{ bad: string; first: Operation }> {
    if (dropIn !== undefined) {
      const directory = `/etc/systemd/system/${UNIT}.d`;
      const file = `${directory}/limit.conf`;
      await host.exec(`mkdir -p ${directory} && printf '[Service]\\n${dropIn}\\n' >${file} && systemctl daemon-reload`);
    }
    await host.exec(`rm -f ${TRIGGER} ${KEPT}/decision`);
    stack.program = run("v2", env, watch, more);
    const first = await stack.up();
    assert.equal(await answer(host), "v2");
    const bad = await hostRelease(host, COMPONENT);
    await host.exec(`touch ${TRIGGER}`);
    await eventually("the host has gone back", `[ -s ${KEPT}/decision ] && [ ! -e /etc/gofleet/${COMPONENT}/txn ]`);
    await host.exec(`rm -rf ${TRIGGER} /etc/systemd/system/${UNIT}.d; systemctl daemon-reload`);
    assert.equal(await answer(host), "v1");
    return { bad, first };
  }

  async function eventually(what: string, condition: string, seconds = 150): Promise<void> {
    for (let turn = 0; turn < seconds * 2; turn++) {
      if ((await host.run(condition)).code === 0) return;
      await pause(500);
    }
    const { stdout } = await host.run(
      `systemctl status '${UNIT}' 'gofleet-watch-${COMPONENT}*'; cat ${KEPT}/watching/* ${KEPT}/findings; tail -n 5 ${KEPT}/runs/*/log`,
    );
    throw new Error(`not so after ${seconds} s: ${what}\n${stdout}`);
  }

  const summary = (): Promise<string> => host.exec(`cat "$(ls -td ${KEPT}/runs/*-watch | head -n 1)/evidence/summary"`);
  const events = async (): Promise<Record<string, string>[]> =>
    (await host.exec("journalctl --namespace=gofleet -t gofleet-audit -o cat --no-pager"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);

  /** Hosts, state and preview agree. */
  async function settled(version: string): Promise<void> {
    assert.equal(await answer(host), version);
    assert.deepEqual(Object.values(await stateReleases(stack, "served-release")), [await hostRelease(host, COMPONENT)]);
    assert.deepEqual((await stack.preview({ refresh: true })).changes, {});
  }

  it("was well for a minute, then is not: it goes back, refresh says so, and the fixed release goes through", async () => {
    const good = await hostRelease(host, COMPONENT);
    const { bad } = await goesWrong({ env: { SERVED_UNHEALTHY_AFTER: "60s" } });
    assert.notEqual(bad, good);
    assert.deepEqual(Object.values(await stateReleases(stack, "served-release")), [bad], "nobody has looked yet");

    const refreshed = await stack.refresh();
    assert.match(
      text(refreshed),
      new RegExp(
        `went back by itself at \\S+Z, from ${bad} to ${good}: .*was not ready at 2 looks in a row: HTTP 503 the database is gone; evidence: ${KEPT}/runs/\\S+-watch/evidence`,
      ),
    );
    assert.deepEqual(Object.values(await stateReleases(stack, "served-release")), [good]);
    assert.match(await stack.previewText(), new RegExp(`${good} instead of ${bad}`), "and the preview what it found");

    const found = await summary();
    assert.match(found, /^cause {5}unhealthy: .* runs, but did not show that it is well/m);
    assert.match(found, /^changed {3}\+ SERVED_UNHEALTHY_AFTER=60s$/m);
    const [watched] = (await events()).filter(({ action }) => action === "watch");
    assert.deepEqual([watched?.["outcome"], watched?.["from"], watched?.["to"]], ["reverted", good, bad]);
    assert.match(watched?.["cause"] ?? "", /was not ready at 2 looks in a row/);

    stack.program = run("v3");
    assert.deepEqual(Object.keys((await stack.up()).changes), ["served", "served-release"]);
    await settled("v3");
    stack.program = run("v1");
    await stack.up();
    await settled("v1");
  });

  for (const [name, failure] of Object.entries(FAILURES)) {
    it(`goes back from a release that ${name}, and the next up says so and starts from there`, async () => {
      await goesWrong(failure);
      assert.match(await summary(), failure.cause);
      stack.program = run("v1");
      const next = await stack.up();
      const [, why = "", evidence = ""] =
        /went back by itself at \S+Z, from \w{16} to \w{16}: (.*); evidence: (\S+)/.exec(text(next)) ?? [];
      assert.match(why, failure.reason);
      assert.match(await host.exec(`cat ${evidence}/summary`), failure.cause);
      await settled("v1");
    });
  }

  it("is not looked after where a person takes it back, whose reason stands in the event", async () => {
    const old = await hostRelease(host, COMPONENT);
    stack.program = run("v3");
    await stack.up();
    const pin = JSON.stringify({ [COMPONENT]: { release: old, reason: "checkout answers 500" } });
    await stack.automation.setConfig("gofleet:pin", { value: pin });
    await stack.up();
    assert.equal(await answer(host), "v1");
    const last = (await events()).at(-1);
    assert.deepEqual(
      [last?.["action"], last?.["outcome"], last?.["to"], last?.["reason"]],
      ["rollback", "ok", old, "checkout answers 500"],
    );
    assert.equal((await host.run(`systemctl is-active gofleet-watch-${COMPONENT}.timer`)).stdout.trim(), "inactive");
    await stack.automation.removeConfig("gofleet:pin");
    await stack.up();
    await settled("v3");
  });

  it("takes one of two operators at once: the other is told who moved it, and goes on from there", async () => {
    const desk = mkdtempSync(join(tmpdir(), "gofleet-desk-"));
    try {
      // The same stack as another operator's copy of the state has it.
      cpSync(stack.workDir, desk, { recursive: true, verbatimSymlinks: true });
      stack.program = run("v4");
      const late = await TestStack.open(run("v5"), desk);
      let second: Promise<Operation> | undefined;
      pauseAt("flipped");
      await atStep(
        host,
        COMPONENT,
        () => stack.up(),
        async ({ release }) => {
          pauseAt("");
          second = late.up({ expect: "failure" });
          await eventually("the second waits", "pgrep -x flock");
          release();
        },
      );
      assert.ok(second);
      assert.match(said(await second), /is on release \w+, expected \w+;\s+moved at \S+ by root@/);
      await settled("v4");
      await late.up({ refresh: true });
      assert.equal(await answer(host), "v5");
      await stack.refresh();
      stack.program = run("v4");
      await stack.up();
      await settled("v4");
    } finally {
      rmSync(desk, { recursive: true, force: true });
    }
  });

  for (const step of ["staged", "flipped", "probing"]) {
    it(`is finished by the next up where the operator is killed at "${step}"`, async () => {
      const version = `k-${step}`;
      stack.program = run(version);
      pauseAt(step);
      await atStep(
        host,
        COMPONENT,
        () => stack.up({ expect: "failure" }),
        async ({ release }) => {
          process.kill(cliProcess(), "SIGKILL");
          await pause(1000);
          release();
        },
      );
      pauseAt("");
      await stack.automation.cancel();
      await stack.up();
      await settled(version);
      assert.equal((await host.run(`systemctl is-active gofleet-watch-${COMPONENT}.timer`)).stdout.trim(), "active");
    });
  }

  const pauseAt = (step: string): void =>
    void Object.assign(stack.automation.workspace.envVars, { GOFLEET_PAUSE: step });
});
