import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { GoServiceUnitArgs } from "../../src/index";
import { hostRelease, stateReleases } from "../hosts/programs";
import { atStep } from "../hosts/steps";
import { hosts, type Host } from "../hosts/support/hosts";
import { gofleet, type Ended } from "../report/support/cli";
import { served } from "../report/support/inline-program";
import { TestStack } from "../support/engine";
import { answer, comesTrue, COMPONENT, property, ServiceLab, UNIT } from "./support/service-lab";

const KEPT = `/var/lib/gofleet/${COMPONENT}`;
const TIMER = `gofleet-watch-${COMPONENT}.timer`;
const REASON = "checkout answers 500";

/** From the first up on: v1, then v2, which is declared irreversible. */
describe("a release of a service that cannot be taken back", function () {
  this.timeout(300_000);
  let lab: ServiceLab;
  let host: Host;
  let stack: TestStack;
  let old: string;
  let migrated: string;

  before(async function () {
    lab = await ServiceLab.start(this);
    host = await hosts.boot("onward");
    stack = await TestStack.create(v1());
    await stack.up();
    old = await hostRelease(host, COMPONENT);
  });

  after(async () => {
    stack?.remove();
    await lab?.stop();
  });

  const run = (version: string, rollback: GoServiceUnitArgs["rollback"]) =>
    lab.program(host, { release: lab.release(version), rollback });
  const v1 = () => run("v1", { watch: false });
  const v2 = () => run("v2", { revert: false, watch: { window: "30 min", every: "1 s" } });
  const pauseAt = (step: string): void =>
    void Object.assign(stack.automation.workspace.envVars, { GOFLEET_PAUSE: step });
  const events = async (): Promise<Record<string, string>[]> =>
    (await host.exec("journalctl --namespace=gofleet -t gofleet-audit -o cat --no-pager"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);

  it("stays where the power is cut once it was started, and the same up finishes it", async () => {
    stack.program = v2();
    pauseAt("probing");
    let atBoot = "";
    let answered = "";
    await atStep(
      host,
      COMPONENT,
      () => stack.up(),
      async () => {
        assert.match(await host.exec(`cat /etc/gofleet/${COMPONENT}/txn`), /^phase committed$/m);
        migrated = await hostRelease(host, COMPONENT);
        await host.kill();
        await host.powerOn();
        await comesTrue(host, `[ ! -e /etc/gofleet/${COMPONENT}/txn ]`);
        atBoot = await hostRelease(host, COMPONENT);
        await comesTrue(host, `systemctl is-active --quiet ${UNIT}`);
        answered = await answer(host);
      },
    );
    pauseAt("");
    assert.notEqual(migrated, old);
    assert.deepEqual([atBoot, answered], [migrated, "v2"], "the boot took it back");
    const boot = (await events()).find(({ action }) => action === "boot");
    assert.deepEqual([boot?.["outcome"], boot?.["from"], boot?.["to"]], ["ok", old, migrated]);
    assert.match(boot?.["cause"] ?? "", /it stays, for it is declared irreversible/);
    assert.equal(await answer(host), "v2");
    assert.deepEqual(Object.values(await stateReleases(stack, "served-release")), [migrated]);
    assert.deepEqual((await stack.preview({ refresh: true })).changes, {});
  });

  it("stays over a reboot, looked after as before; what its watch finds is noted and takes nothing back", async () => {
    await host.reboot();
    await comesTrue(host, `systemctl is-active --quiet ${UNIT} && systemctl is-active --quiet ${TIMER}`);
    assert.equal(await answer(host), "v2");
    assert.equal(await host.exec(`cat ${KEPT}/findings 2>/dev/null; true`), "", "what a shutdown ends is no finding");
    await host.exec(`systemctl kill --kill-whom=main --signal=ABRT ${UNIT}`);
    await comesTrue(host, `grep -qs 'ended with exit code' ${KEPT}/findings`);
    await comesTrue(host, `systemctl is-active --quiet ${UNIT}`);
    assert.equal(await hostRelease(host, COMPONENT), migrated);
    assert.equal(await answer(host), "v2");
    assert.equal((await host.run(`systemctl is-active ${TIMER}`)).stdout.trim(), "active");
  });

  it("is crossed by `gofleet rollback` with --force and --reason, and by nothing less", async () => {
    const cli = (...more: string[]): Promise<Ended> =>
      served(v2(), (client) => {
        const { envVars, pulumiHome } = stack.automation.workspace;
        const args = ["rollback", COMPONENT, "--stack", "test", "--yes", ...more, "--", client];
        return gofleet(stack.workDir, args, { ...process.env, ...envVars, PULUMI_HOME: pulumiHome });
      });
    const pid = await property(host, "MainPID");
    for (const [given, says] of [
      [["--reason", REASON], new RegExp(`${migrated}, which came on after ${old}, is declared irreversible`)],
      [["--force"], /needs --reason "why"/],
    ] as const) {
      const refused = await cli(...given);
      assert.equal(refused.code, 1, refused.out + refused.err);
      assert.match(refused.out + refused.err, says);
      assert.doesNotMatch(config(), /gofleet:pin/);
    }
    assert.deepEqual([await answer(host), await property(host, "MainPID")], ["v2", pid]);

    const forced = await cli("--force", "--reason", REASON);
    assert.equal(forced.code, 0, forced.out + forced.err);
    assert.equal(await answer(host), "v1");
    assert.equal(await hostRelease(host, COMPONENT), old);
    assert.match(config(), /^ +force: "?true"?$/m);
    const last = (await events()).at(-1);
    assert.deepEqual(
      [last?.["action"], last?.["outcome"], last?.["to"], last?.["reason"]],
      ["rollback", "ok", old, REASON],
    );
    stack.program = v2();
    assert.match((await stack.preview()).stdout, new RegExp(`pinned to release ${old} \\(${REASON}\\)`));
  });

  /** Not there before the first setting. */
  const config = (): string => {
    const file = join(stack.workDir, "Pulumi.test.yaml");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
});
