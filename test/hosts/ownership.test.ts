import assert from "node:assert/strict";
import { ComponentResource, rootStackResource } from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { hostPool, ssh, type HostTarget } from "../../src/index";
import { withStack, type StackSettings, type TestStack } from "../support/engine";
import { hostRelease, said, stateReleases, target } from "./programs";
import { file, Raw, raw, type RawArgs } from "./raw-program";
import { difference, type Host, hosts, type Listing, needsHosts } from "./support/hosts";

const UNIT = "/etc/systemd/system/live.service";
const SHARED = "/etc/shared.conf";

/** A unit that must live through everything, and a file with a text. */
function live(text: string): RawArgs["plan"] {
  return {
    files: [file(UNIT, "[Service]\nExecStart=sleep infinity\n"), file("/etc/live.conf", `${text}\n`)],
    units: [{ name: "live.service", onChange: "restart", reads: [UNIT] }],
  };
}

describe("who owns what on a real host", function () {
  let host: Host;
  let untouched: Listing;

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("rack-01");
    await host.exec(`echo original >${SHARED}`);
    untouched = await host.listing();
  });

  after(() => hosts.stopAll());

  const directory = "tools";
  const pid = async () => (await host.exec("systemctl show -P MainPID live.service")).trim();
  const clean = async () => assert.deepEqual(difference(untouched, await host.listing()), []);

  /** Brings `live` on by the first program; the unit must run on, and destroy must leave nothing. */
  const lives = (first: PulumiFn, body: (stack: TestStack) => Promise<void>, settings: StackSettings = {}) =>
    withStack(first, settings, async (stack) => {
      await stack.up();
      const before = await pid();
      assert.notEqual(before, "0");
      await body(stack);
      assert.equal(await pid(), before, "the unit was stopped or restarted");
      assert.deepEqual((await stack.preview({ refresh: true })).changes, {});
      await stack.destroy();
      await clean();
    });
  const component = (name = "raw", text = "text", on: HostTarget = target(host)) =>
    raw({ target: on, directory, plan: live(text) }, name);

  it("a component renamed with an alias is the same one", () =>
    lives(component(), async (stack) => {
      const id = (await stack.resource("raw-release"))?.outputs?.["instance"];
      stack.program = raw({ target: target(host), directory, plan: live("text") }, "fresh", {
        aliases: [{ name: "raw" }],
      });
      assert.deepEqual((await stack.up()).changes, {});
      assert.equal((await stack.resource("fresh-release"))?.outputs?.["instance"], id);
    }));

  it("a component renamed without an alias is taken over by the new one; the end of the old one touches nothing", () =>
    lives(component(), async (stack) => {
      stack.program = component("fresh");
      const up = await stack.up();
      assert.deepEqual(up.changes, {
        fresh: "create",
        "fresh-release": "create",
        raw: "delete",
        "raw-release": "delete",
      });
      assert.match(up.diagnostics.map(({ message }) => message).join("\n"), /left alone: .*belongs to .*fresh/);
      assert.match(await host.exec(`cat /etc/gofleet/${directory}/owner`), /urn .*::fresh-release/);
    }));

  it("a component under another parent, with an alias, is the same one", () =>
    lives(component(), async (stack) => {
      stack.program = async () => {
        const parent = new ComponentResource("gofleet:test:Group", "group");
        new Raw(
          "raw",
          { target: target(host), directory, plan: live("text") },
          { parent, aliases: [{ parent: rootStackResource }] },
        );
      };
      assert.deepEqual((await stack.up()).changes, { group: "create" });
    }));

  it("a pool's key renamed is the same machine: nothing is taken off it", () =>
    lives(component("raw", "text", hostPool({ hosts: { a: target(host) } })), async (stack) => {
      stack.program = component("raw", "text", hostPool({ hosts: { b: target(host) } }));
      assert.deepEqual((await stack.up()).changes, { "raw-release": "update" });
      assert.deepEqual(await stateReleases(stack, "raw-release"), { b: await hostRelease(host, directory) });
    }));

  it("another address of the same machine is an update, not another host", () =>
    lives(component(), async (stack) => {
      const address = host.address.replace(/\d+$/, (last) => String(Number(last) + 20));
      await host.exec(`ip address add ${address}/27 dev host0`);
      const { hostKey, identityFile: identity } = host;
      const moved = ssh({ host: address, user: "root", hostKey, identity });
      stack.program = component("raw", "text", moved);
      assert.deepEqual((await stack.up()).changes, { "raw-release": "update" });
      stack.program = component("raw", "changed", moved);
      await stack.up();
      assert.equal(await host.exec("cat /etc/live.conf"), "changed\n");
    }));

  it("the resource renamed in the state is the same one", () =>
    lives(component(), async (stack) => {
      for (const name of ["raw-release", "raw"]) {
        const urn = (await stack.resource(name))?.urn ?? "";
        await pulumi(stack, "state", "rename", urn, name.replace("raw", "fresh"), "--yes", "--stack", "test");
      }
      stack.program = component("fresh", "text");
      assert.deepEqual((await stack.up()).changes, {});
      stack.program = component("fresh", "changed");
      assert.deepEqual((await stack.up()).changes, { "fresh-release": "update" });
    }));

  it("a stack takes over from another by `pulumi state move`", () =>
    withStack(component(), {}, async (stack) => {
      await stack.up();
      const before = await pid();
      await withStack(component("raw", "changed"), { name: "other", workDir: stack.workDir }, async (other) => {
        const urn = (await stack.resource("raw"))?.urn ?? "";
        await pulumi(stack, "state", "move", "--yes", "--source", "test", "--dest", "other", urn);
        await other.up();
        assert.equal(await host.exec("cat /etc/live.conf"), "changed\n");
        assert.match(await host.exec(`cat /etc/gofleet/${directory}/owner`), /^stack \S+\/other$/m);
        assert.equal(await pid(), before);
        stack.program = async () => undefined;
        assert.deepEqual((await stack.up()).changes, {});
        assert.equal(await pid(), before);
        await other.destroy();
      });
      await clean();
    }));

  it("the directory of one stack is refused to another, by name, and the other's end touches nothing", () =>
    lives(component(), async (stack) => {
      await withStack(component("raw", "changed"), { name: "other", workDir: stack.workDir }, async (other) => {
        const failed = await other.up({ expect: "failure" });
        assert.match(
          said(failed),
          /belongs to stack organization\/gofleet-test\/test .*stack organization\/gofleet-test\/other/s,
        );
        await other.destroy();
      });
      assert.equal(await host.exec("cat /etc/live.conf"), "text\n");
    }));

  it("a path of one stack is refused to a component of another, by name", () =>
    lives(component(), async (stack) => {
      const plan = { files: [file("/etc/live.conf", "mine\n")] };
      await withStack(
        raw({ target: target(host), plan }, "thief"),
        { name: "other", workDir: stack.workDir },
        async (other) => {
          const failed = await other.up({ expect: "failure" });
          assert.match(said(failed), /\/etc\/live\.conf belongs to component tools of stack \S+\/test/);
          await other.destroy();
        },
      );
      assert.equal(await host.exec("cat /etc/live.conf; ls /etc/gofleet"), "text\ntools\n");
    }));

  it("one of two components goes, the other lives on", () => {
    const both = (second: boolean) => async () => {
      new Raw("raw", { target: target(host), directory, plan: live("text") });
      if (second) new Raw("second", { target: target(host), plan: { files: [file(SHARED, "second\n")] } });
    };
    return lives(both(true), async (stack) => {
      assert.equal(await host.exec(`cat ${SHARED}`), "second\n");
      stack.program = both(false);
      assert.deepEqual((await stack.up()).changes, { second: "delete", "second-release": "delete" });
      assert.equal(await host.exec(`cat ${SHARED}; ls /etc/gofleet`), "original\ntools\n");
    });
  });

  it("a path is handed from one component to another, and back from one that goes", () => {
    const with_ =
      (...owners: ("raw" | "second")[]) =>
      async () => {
        const shared = (name: string) => (owners.includes(name as "raw") ? [file(SHARED, `${name}\n`)] : []);
        const plan = live("text");
        new Raw("raw", {
          target: target(host),
          directory,
          plan: { ...plan, files: [...(plan.files ?? []), ...shared("raw")] },
        });
        if (owners.includes("second")) new Raw("second", { target: target(host), plan: { files: shared("second") } });
      };
    return lives(with_("raw"), async (stack) => {
      const text = () => host.exec(`cat ${SHARED}`);
      assert.equal(await text(), "raw\n");
      stack.program = with_("second");
      await stack.up();
      assert.equal(await text(), "second\n");
      stack.program = with_("raw");
      await stack.up();
      assert.equal(await text(), "raw\n");
    });
  });

  it("another machine at the known address is an error that names both, or an installation where the program says so", async () => {
    const machine = await hosts.boot("rack-02");
    await withStack(component("raw", "text", target(machine)), {}, async (stack) => {
      await stack.up();
      const old = machine.machineId;
      await machine.reinstall();
      stack.program = component("raw", "text", target(machine));
      const failed = await stack.up({ expect: "failure" });
      assert.match(said(failed), new RegExp(`${machine.machineId}.*${old}|${old}.*${machine.machineId}`, "s"));
      assert.match(said(failed), /onNewMachine: "install"/);
      assert.equal((await machine.run("ls /etc/gofleet")).code, 2);

      stack.program = component("raw", "text", target(machine, { onNewMachine: "install" }));
      await stack.up();
      assert.deepEqual(await stateReleases(stack, "raw-release"), { host: await hostRelease(machine, directory) });
      await stack.destroy();
    });
    await machine.stop();
  });
});

/** Runs the CLI on the stack's backend. */
async function pulumi({ automation, workDir }: TestStack, ...args: string[]): Promise<void> {
  const {
    pulumiCommand,
    envVars,
    pulumiHome = "",
  } = automation.workspace as typeof automation.workspace & {
    readonly pulumiCommand: { run(args: string[], cwd: string, env: Record<string, string>): Promise<unknown> };
    readonly pulumiHome?: string;
  };
  await pulumiCommand.run([...args, "--non-interactive"], workDir, { ...envVars, PULUMI_HOME: pulumiHome });
}
