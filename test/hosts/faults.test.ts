import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostTarget } from "../../src/index";
import { TestStack } from "../support/engine";
import type { Operation } from "../support/engine/operation";
import { hostRelease, said, stateReleases, target } from "./programs";
import { file, raw } from "./raw-program";
import { atStep, cutConnections, type Stop } from "./steps";
import { type Host, hosts, needsHosts } from "./support/hosts";
import { pause } from "./support/machine";

const COMPONENT = "raw";

/** A release of every kind of thing, each telling the version; the probe finds a mix. */
function plan(version: string) {
  const service = ["[Service]", `Environment=VERSION=${version}`, "ExecStart=sleep infinity", ""].join("\n");
  return {
    files: [
      file("/etc/demo/link.conf", `${version}\n`),
      file("/etc/demo/copy.conf", `${version}\n`, { place: "copy" }),
      file(`/etc/demo/only-${version}`, ""),
      file("/etc/systemd/system/demo.service", service),
    ],
    units: [{ name: "demo.service", onChange: "restart" as const, reads: ["/etc/systemd/system/demo.service"] }],
    probes: [{ name: "agrees", timeout: 10, script: "cmp /etc/demo/link.conf /etc/demo/copy.conf\n" }],
  };
}

/** Prints what every part of the release says, a line each. */
const LOOK = [
  "cat /etc/demo/link.conf /etc/demo/copy.conf",
  "ls /etc/demo | sed -n s/only-//p",
  "tr '\\0' '\\n' </proc/$(systemctl show -P MainPID demo.service)/environ | sed -n s/VERSION=//p",
].join("; ");

/** The version that is on the host as a whole; a mix fails. */
async function version(host: Host): Promise<string> {
  const found = (await host.run(LOOK)).stdout.trim().split("\n");
  assert.equal(found.length, 4, found.join(" "));
  assert.equal(new Set(found).size, 1, `a mix: ${found.join(" ")}`);
  return found[0] ?? "";
}

/** By step of an apply: what one `up` makes of an agent that is killed there. Killed before the switch, it is run again. */
const KILLED: Readonly<Record<string, "old" | "new">> = {
  stage: "new",
  staged: "new",
  locked: "new",
  checked: "new",
  txn: "old",
  ledger: "old",
  dropped: "old",
  flipped: "old",
  linked: "old",
  users: "old",
  reloaded: "old",
  restarting: "old",
  restarted: "old",
  probing: "old",
  probed: "old",
  settled: "new",
};

describe("faults on a real host", function () {
  let host: Host;
  let stack: TestStack;
  let number = 0;

  /** The next version, not on any host yet. */
  const next = (on: HostTarget = target(host)): string => {
    number += 1;
    stack.program = raw({ target: on, plan: plan(`v${number}`) });
    return `v${number}`;
  };
  const pauseAt = (step: string): void => void Object.assign(env(), { GOFLEET_PAUSE: step });
  const env = () => stack.automation.workspace.envVars;
  /** The state says what the host has, and that is one release as a whole. */
  const truth = async (): Promise<string> => {
    assert.deepEqual(Object.values(await stateReleases(stack, "raw-release")), [await hostRelease(host, COMPONENT)]);
    assert.equal((await host.run(`test -e /etc/gofleet/${COMPONENT}/txn`)).code, 1, "a transaction is still open");
    return version(host);
  };
  /** Whether or not the fault stopped it, the same program goes through now. */
  const settles = async (wanted: string): Promise<void> => {
    await stack.up();
    assert.equal(await truth(), wanted);
    assert.deepEqual((await stack.preview({ refresh: true })).changes, {});
  };

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("rack-01");
    stack = await TestStack.create(raw({ target: target(host), plan: plan("v0") }));
    await stack.up();
  });

  afterEach(() => pauseAt(""));

  after(async () => {
    stack?.remove();
    await hosts.stopAll();
  });

  describe("the agent is killed, and the connection cut in the run after it", () => {
    for (const [step, expected] of Object.entries(KILLED)) {
      it(`at "${step}": ${expected}, then new`, async () => {
        const old = await truth();
        const wanted = next();
        pauseAt(step);
        const kill = async ({ pid }: Stop) => void (await host.exec(`kill -9 ${pid}`));
        const up = (expect: "success" | "failure") => () => stack.up({ expect });
        const killed = await atStep(host, COMPONENT, up(expected === "new" ? "success" : "failure"), kill);
        assert.equal(await truth(), expected === "new" ? wanted : old);
        if (expected === "old") assert.match(said(killed), /back on|killed|ended/);

        const after = next();
        await atStep(host, COMPONENT, up("success"), async ({ release }) => {
          await cutConnections(host);
          release();
        });
        assert.equal(await truth(), after);
      });
    }
  });

  it("a network that is gone for half a minute in the middle: the host goes on, the operator finds it again", async () => {
    const wanted = next();
    pauseAt("flipped");
    await atStep(
      host,
      COMPONENT,
      () => stack.up(),
      async ({ release }) => {
        await host.cut();
        release();
        await pause(25_000);
        await host.restore();
      },
    );
    assert.equal(await truth(), wanted);
  });

  it("a probe that fails: back on the old release, with what the probe said", async () => {
    const old = await truth();
    const wanted = next();
    const { probes, ...rest } = plan(wanted);
    const failing = { name: "fails", timeout: 10, script: "echo told you >&2; exit 3\n" };
    stack.program = raw({ target: target(host), plan: { ...rest, probes: [...probes, failing] } });
    const failed = await stack.up({ expect: "failure" });
    assert.match(said(failed), /host \(root@[\d.]+\): release \w+ failed, back on \w+: .*told you/);
    assert.equal(await truth(), old);
    assert.notDeepEqual((await stack.preview()).changes, {});
    stack.program = raw({ target: target(host), plan: plan(wanted) });
    await settles(wanted);
  });

  it("a release that locks everybody out over SSH: the host goes back by itself", async () => {
    const old = await truth();
    const wanted = next();
    const { files, units, ...rest } = plan(wanted);
    const lockedOut = {
      ...rest,
      files: [...files, file("/etc/ssh/sshd_config.d/50-nobody.conf", "AllowUsers nobody\n", { place: "copy" })],
      units: [
        ...units,
        { name: "ssh.service", onChange: "reload" as const, reads: ["/etc/ssh/sshd_config.d/50-nobody.conf"] },
      ],
      confirm: 6,
    };
    stack.program = raw({ target: target(host), plan: lockedOut });
    const failed = await stack.up({ expect: "failure" });
    assert.match(said(failed), /back on \w+: not reachable over a new connection in time/);
    assert.equal(await truth(), old);
    assert.equal((await host.run("ls /etc/ssh/sshd_config.d")).stdout, "");
    stack.program = raw({ target: target(host), plan: plan(wanted) });
    await settles(wanted);
  });

  it("a release that sshd itself refuses never comes on", async () => {
    const old = await truth();
    const { files, ...rest } = plan(next());
    const broken = file("/etc/ssh/sshd_config.d/50-broken.conf", "NoSuchOption yes\n", { place: "copy" });
    stack.program = raw({ target: target(host), plan: { ...rest, files: [...files, broken] } });
    assert.match(said(await stack.up({ expect: "failure" })), /refused, nothing changed: .*sshd -t.*NoSuchOption/s);
    assert.equal(await truth(), old);
  });

  for (const step of ["linked", "restarted"]) {
    it(`a reboot at "${step}": back on the old release at boot, then finished by the same up`, async () => {
      const wanted = next();
      pauseAt(step);
      let atBoot = "";
      await atStep(
        host,
        COMPONENT,
        () => stack.up(),
        async () => {
          await host.reboot();
          atBoot = (await host.run(`cat /var/lib/gofleet/${COMPONENT}/decision`)).stdout;
        },
      );
      assert.match(atBoot, /cause the host was restarted in phase (switching|activating)/);
      assert.equal(await truth(), wanted);
    });
  }

  it("power loss in the middle: settled at boot before any service, then finished by the same up", async () => {
    const wanted = next();
    pauseAt("linked");
    let atBoot = "";
    await atStep(
      host,
      COMPONENT,
      () => stack.up(),
      async () => {
        await host.kill();
        await host.powerOn();
        atBoot = (await host.run(`cat /var/lib/gofleet/${COMPONENT}/decision`)).stdout;
      },
    );
    assert.match(atBoot, /cause the host was restarted in phase switching/);
    assert.equal(await truth(), wanted);
  });

  it("a read-only file system: refused by name, nothing changed", async () => {
    const old = await truth();
    const wanted = next();
    for (const directory of ["/etc/gofleet", "/var/lib/gofleet"]) {
      await host.exec(`mount --bind ${directory} ${directory} && mount -o remount,bind,ro ${directory}`);
      const failed = await stack.up({ expect: "failure" });
      assert.match(said(failed), /refused, nothing changed: .*(read-only|cannot be)/i);
      assert.equal(await truth(), old);
      await host.exec(`umount ${directory}`);
    }
    await settles(wanted);
  });

  it("two operators at once: the second waits for the first, and is told by whom and to what the host was moved", async () => {
    const desk = mkdtempSync(join(tmpdir(), "gofleet-desk-"));
    try {
      // The same stack as another operator's copy of the state has it.
      cpSync(stack.workDir, desk, { recursive: true, verbatimSymlinks: true });
      const wanted = next();
      const late = await TestStack.open(raw({ target: target(host), plan: plan("late") }), desk);
      pauseAt("flipped");
      let second: Promise<Operation> | undefined;
      await atStep(
        host,
        COMPONENT,
        () => stack.up(),
        async ({ release }) => {
          second = late.up({ expect: "failure" });
          await waits(host);
          release();
        },
      );
      assert.ok(second);
      assert.match(said(await second), /is on release \w+, expected \w+;\s+moved at \S+ by root@/);
      assert.match(said(await second), /pulumi up --refresh/);
      assert.equal(await truth(), wanted);
      await late.up({ refresh: true });
      assert.equal(await version(host), "late");
      pauseAt("");
      await stack.up({ refresh: true });
      assert.equal(await truth(), wanted);
    } finally {
      rmSync(desk, { recursive: true, force: true });
    }
  });

  // In a group of its own, for those come last: nothing is on the host afterwards.
  describe("destroy", () => {
    it("goes on from where the agent was killed, and the connection cut", async () => {
      pauseAt("removing,removed");
      const destroyed = stack.destroy();
      const killed = await removing(host);
      await host.exec(`kill -9 ${killed}`);
      await removing(host, killed);
      await cutConnections(host);
      let over = false;
      void destroyed.finally(() => (over = true));
      while (!over) await host.run("for up in /run/gofleet/up.*/; do touch $up/go; done; sleep 0.3");
      await destroyed;
      assert.equal(await stack.resource("raw-release"), undefined);
      const left = "ls -d /etc/gofleet /var/lib/gofleet /usr/local/lib/gofleet /run/gofleet/* /etc/demo 2>/dev/null";
      assert.equal((await host.run(left)).stdout, "");
      assert.equal((await host.run("systemctl is-active demo")).stdout, "inactive\n");
    });
  });
});

/** Resolves when a second agent waits for the host's lock. */
async function waits(host: Host): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await host.run("pgrep -x flock")).code === 0) return;
    await pause(200);
  }
  throw new Error("no second agent waits for the lock");
}

/** The agent that takes a component off, once it waits at its step; another one than `before`. */
async function removing(host: Host, before?: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const { stdout } = await host.run("pgrep -f '^sh /run/gofleet/[^ ]*/agent remove'");
    const pid = stdout.trim();
    if (pid !== "" && pid !== before) {
      await pause(1500);
      return pid;
    }
    await pause(200);
  }
  throw new Error("nothing is taken off the host");
}
