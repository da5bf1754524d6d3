import assert from "node:assert/strict";
import type { WatchArgs } from "../../src/index";
import { hostRelease, said, stateReleases } from "../hosts/programs";
import { hosts, needsVirtualHosts, type VirtualHost } from "../hosts/support/hosts";
import { TestStack, type Operation } from "../support/engine";
import { answer, COMPONENT, property, ServiceLab, told, UNIT } from "./support/service-lab";

const TRIGGER = "/run/served.go";
const KEPT = `/var/lib/gofleet/${COMPONENT}`;
const LIMIT_MIB = 96;
const CGROUP = `/sys/fs/cgroup/system.slice/${UNIT}`;
const DROP_IN = `/etc/systemd/system/${UNIT}.d/goes-on.conf`;

/** Nothing but memory counts: where the kernel's word did not come, the release would stay. */
const WATCH: WatchArgs = { window: "1 h", every: "10 s", any: ["oom"] };
const killed = (what: string) => `out of memory: the kernel killed ${what} at its limit of ${LIMIT_MIB} MiB`;

/**
 * A host with a kernel of its own (QEMU), which counts memory by control group whatever this machine's kernel does. One
 * stack: each test goes on from where the one before left it, with v1 on the host.
 */
describe("a service that takes more memory than it may", function () {
  this.timeout(1_200_000);
  let lab: ServiceLab;
  let host: VirtualHost;
  let stack: TestStack;

  before(async function () {
    lab = await ServiceLab.start(this, needsVirtualHosts);
    host = await hosts.bootVirtual("rack-01", { clock: new Date() });
    stack = await TestStack.create(run("v1"));
    await stack.up();
    assert.equal((await host.exec(`cat ${CGROUP}/memory.max`)).trim(), String(LIMIT_MIB * 2 ** 20));
  });

  after(async () => {
    stack?.remove();
    await lab?.stop();
  });

  const run = (version: string, env: Readonly<Record<string, string>> = {}) =>
    lab.program(host, {
      release: lab.release(version),
      env: told({ SERVED_TRIGGER: TRIGGER, ...env }),
      limits: { memory: `${LIMIT_MIB} MiB` },
      health: { get: "http://127.0.0.1:7070/readyz", within: "3 min" },
      rollback: { watch: WATCH },
    });

  const text = ({ diagnostics }: Operation): string => diagnostics.map(({ message }) => message).join("\n");
  /** A file of the last evidence. */
  const evidence = (name: string) => host.exec(`cat "$(ls -td ${KEPT}/runs/*/evidence | head -n 1)/${name}"`);
  const kernelLog = () => host.exec("journalctl -q -k -o cat");

  /** Puts a release on that is well, and lets it go wrong; ends when the host has gone back. */
  async function goesWrong(env: Readonly<Record<string, string>>, cause: string): Promise<void> {
    await host.exec(`rm -f ${TRIGGER} ${KEPT}/decision`);
    stack.program = run("v2", env);
    await stack.up();
    assert.equal(await answer(host), "v2");
    await host.exec(`touch ${TRIGGER}`);
    await host.exec(
      `for i in $(seq 150); do [ -s ${KEPT}/decision ] && [ ! -e /etc/gofleet/${COMPONENT}/txn ] && exit 0; sleep 1; done
       systemctl status --no-pager ${UNIT} 'gofleet-watch-${COMPONENT}*' >&2; cat ${KEPT}/findings >&2; exit 1`,
      { timeout: 400_000 },
    );
    await host.exec(`rm -f ${TRIGGER}`);
    assert.equal(await answer(host), "v1");
    assert.match(await evidence("summary"), new RegExp(`^cause {5}${cause}$`, "m"));
  }

  /** The operator is told, and state, host and preview agree again. */
  async function settled(): Promise<void> {
    stack.program = run("v1");
    assert.match(
      text(await stack.up()),
      new RegExp(`went back by itself at .*: out of memory: the kernel killed a process of ${UNIT}`),
    );
    assert.equal(await answer(host), "v1");
    assert.deepEqual(Object.values(await stateReleases(stack, "served-release")), [await hostRelease(host, COMPONENT)]);
  }

  it("at its start: the kernel kills it, the switch is undone, and the error says why", async () => {
    await host.exec(`touch ${TRIGGER}`);
    stack.program = run("v2", { SERVED_EAT_AFTER: "1ms", SERVED_SLOW_HEALTH: "1m" });
    const failed = said(await stack.up({ expect: "failure" }));
    assert.match(failed, new RegExp(`^ *cause +${killed(UNIT)}$`, "m"));
    assert.equal(await answer(host), "v1");
    assert.match(await evidence(`ends-${UNIT}`), /^killed 9$[^]*^result oom-kill$/m);
    assert.match(await evidence(`show-${UNIT}`), new RegExp(`^MemoryMax=${LIMIT_MIB * 2 ** 20}$`, "m"));
    const log = await kernelLog();
    assert.match(log, new RegExp(`oom-kill:constraint=CONSTRAINT_MEMCG,.*oom_memcg=/system\\.slice/${UNIT},`));
    assert.match(log, /Memory cgroup out of memory: Killed process \d+ \(served\)/);
  });

  it("a while after the switch: its host takes it back", async () => {
    await goesWrong({ SERVED_EAT_AFTER: "1ms" }, killed(UNIT));
    assert.match(await evidence(`ends-${UNIT}`), /^result oom-kill$/m);
    await settled();
  });

  it("by a child of it, after which it goes on itself: the kernel's counter tells, and its host takes it back", async () => {
    await host.exec(
      `mkdir -p $(dirname ${DROP_IN}) && printf '[Service]\\nOOMPolicy=continue\\n' >${DROP_IN} && systemctl daemon-reload`,
    );
    assert.equal(await property(host, "OOMPolicy"), "continue");
    const log = (await kernelLog()).length;
    await goesWrong({ SERVED_CHILD_EATS_AFTER: "1ms" }, killed(`a process of ${UNIT}`));
    const ended = /Memory cgroup out of memory: Killed process (\d+) \(exe\)/.exec((await kernelLog()).slice(log));
    const main = /^ExecMainPID=(\d+)$/m.exec(await evidence(`show-${UNIT}`)) ?? assert.fail("no process of its own");
    assert.notEqual(ended?.[1] ?? assert.fail("the kernel killed no child"), main[1]);
    // It lived to say so, and was never started again.
    assert.match(await evidence(`own-${UNIT}`), /^served v2 goes on, its child ended: signal: killed$/m);
    assert.match(await evidence(`show-${UNIT}`), /^Result=success$/m);
    assert.match(await evidence(`show-${UNIT}`), /^NRestarts=0$/m);
    assert.equal(await evidence(`ends-${UNIT}`), "");
    assert.match(await evidence(`cgroup-${UNIT}`), /^oom_kill [1-9]/m);
    await settled();
  });
});
