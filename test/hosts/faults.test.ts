import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { HostTarget } from "../../src/index";
import { TestStack } from "../support/engine";
import { makeProject } from "../support/engine/project";
import { skip } from "../support/skip";
import { hostRelease, said, stateReleases, target } from "./programs";
import { file, raw } from "./raw-program";
import { atStep, cutConnections, type Stop } from "./steps";
import { hosts, unavailable, type Host } from "./support/hosts";
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
  this.timeout(180_000);
  let host: Host;
  let workDir: string;
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
    assert.deepEqual((await stack.preview()).changes, {});
  };

  before(async function () {
    const reason = unavailable();
    if (reason) skip(this, reason);
    host = await hosts.boot("rack-01");
    workDir = makeProject();
    stack = await TestStack.open(raw({ target: target(host), plan: plan("v0") }), workDir);
    await stack.up();
  });

  afterEach(() => pauseAt(""));

  after(async () => {
    if (workDir) rmSync(workDir, { recursive: true, force: true });
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
});
