import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { hostPool, local } from "gofleet";
import { EMPTY_PLAN, type HostPlan } from "../../src/plan/host-plan";
import { HostRelease } from "../../src/targets/host-release";
import { withStack, type TestStack } from "../support/engine";
import { gofleet, type Ended } from "../report/support/cli";
import { served } from "../report/support/inline-program";

const MOTD = "/etc/motd.d/gofleet";
const EVENTS = "/var/log/gofleet.jsonl";
const UNDONE = "checkout is mended";
const HOSTS = ["rack-1", "rack-2", "rack-3"];

interface Settings {
  readonly protect?: boolean;
  readonly components?: readonly string[];
}

/** Components with one file each on a pool of directories; a host's `fails` makes the probe of that text fail. */
function motd(stack: TestStack, text: string, { protect, components = ["motd"] }: Settings = {}): PulumiFn {
  return async () => {
    for (const name of components) {
      const path = `${MOTD}-${name}`;
      const plan: HostPlan = {
        ...EMPTY_PLAN,
        files: [{ path, text: `${text}\n`, mode: "0644", owner: "root", group: "root", place: "link" }],
        probes: [{ name: "says", timeout: 60, script: `! grep -qsx ${text} "$GOFLEET_ROOT/fails" && echo ${text}\n` }],
      };
      const target = hostPool({
        hosts: Object.fromEntries(HOSTS.map((host) => [host, local({ root: root(stack, host) })])),
        rollout: { canary: 1, batch: 1 },
        audit: { file: EVENTS },
      });
      const parent = new pulumi.ComponentResource("test:Motd", name, {}, { protect });
      new HostRelease(
        `${name}-release`,
        { component: name, plan, target, policy: { adopt: "refuse", keep: 3 } },
        { parent },
      );
    }
  };
}

const root = (stack: TestStack, host: string): string => join(stack.workDir, host);
const texts = (stack: TestStack, name = "motd"): string[] =>
  HOSTS.map((host) => readFileSync(join(root(stack, host), `${MOTD}-${name}`), "utf8").trim());
/** What was done to a host, and why, the oldest first. */
const events = (stack: TestStack, host: string): string[] =>
  readFileSync(join(root(stack, host), EVENTS), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { action: string; reason?: string })
    .map(({ action, reason }) => `${action}: ${reason ?? "no reason"}`);
const config = (stack: TestStack): string => readFileSync(join(stack.workDir, "Pulumi.test.yaml"), "utf8");
const said = async (run: Promise<{ diagnostics: readonly { message: string }[] }>): Promise<string> =>
  (await run).diagnostics.map(({ message }) => message).join("\n");

/** The command line beside the stack; `program` is what its `pulumi up` runs. */
function cli(stack: TestStack, program: PulumiFn, ...args: string[]): Promise<Ended> {
  const { envVars, pulumiHome } = stack.automation.workspace;
  const env = { ...process.env, ...envVars, PULUMI_HOME: pulumiHome };
  return served(program, (client) => {
    const engine = ["rollback", "restore"].some((verb) => args.includes(verb)) ? ["--", client] : [];
    return gofleet(stack.workDir, [...args, "--stack", "test", ...engine], env);
  });
}

/** A stack with two releases of each component on every host, the second one current. */
function start(
  body: (stack: TestStack, releases: readonly [string, string]) => Promise<void>,
  settings: Settings = {},
) {
  return withStack(
    async () => undefined,
    {},
    async (stack) => {
      const release = async (text: string): Promise<string> => {
        stack.program = motd(stack, text, settings);
        await stack.up();
        const { actual } = (await stack.resource("motd-release"))?.outputs as { actual: Record<string, string> };
        return actual["rack-1"]?.split(" ")[0] ?? "";
      };
      await body(stack, [await release("first"), await release("second")]);
    },
  );
}

describe("gofleet rollback through the real engine", function () {
  it("goes back by a pin that every preview shows, and undoes it", () =>
    start(async (stack, [old, current]) => {
      const second = motd(stack, "second");
      const listed = await cli(stack, second, "releases");
      assert.equal(listed.code, 0, listed.err);
      assert.match(listed.out, /^motd, 3 hosts$/m);
      assert.match(listed.out, new RegExp(`^▶ ${current} {2}runs on 3 of 3 .*UTC .*@`, "m"));
      assert.match(listed.out, new RegExp(`^  ${old} {2}kept on 3 of 3 `, "m"));

      const back = await cli(stack, second, "rollback", "--reason", "checkout answers 500", "--yes");
      assert.equal(back.code, 0, back.out + back.err);
      assert.match(back.out, new RegExp(`motd +${current} +→ ${old} +on rack-1, rack-2, rack-3 +of .*UTC by `));
      assert.deepEqual(texts(stack), ["first", "first", "first"]);
      assert.match(
        config(stack),
        new RegExp(`gofleet:pin:\\n {4}motd:\\n {6}release: ["']?${old}["']?\\n {6}reason: checkout answers 500`),
      );

      const pinned = new RegExp(
        `pinned to release ${old} \\(checkout answers 500\\): the program's release ${current} is not rolled out, until .gofleet rollback motd --undo`,
      );
      const preview = await stack.preview();
      assert.deepEqual(preview.changes, {}, "nothing is left to do");
      assert.match(preview.stdout, pinned, "a person sees it in `pulumi preview`");
      assert.deepEqual((await stack.up()).changes, {});
      assert.match((await cli(stack, second, "releases")).out, new RegExp(`^▶ ${old} .* pinned$`, "m"));

      stack.program = motd(stack, "third");
      assert.match(await stack.previewText(), /\+ *third/, "what the program changes meanwhile is shown");
      await stack.up();
      assert.deepEqual(texts(stack), ["first", "first", "first"], "and waits");
      assert.deepEqual((await stack.preview()).changes, {});

      const undone = await cli(stack, motd(stack, "third"), "rollback", "--undo", "--reason", UNDONE, "--yes");
      assert.equal(undone.code, 0, undone.out + undone.err);
      assert.deepEqual(texts(stack), ["third", "third", "third"]);
      assert.deepEqual(events(stack, "rack-3").slice(-2), ["rollback: checkout answers 500", `apply: ${UNDONE}`]);
      assert.doesNotMatch(config(stack), /pin/);
      assert.deepEqual((await stack.preview()).changes, {});
      assert.doesNotMatch((await stack.preview()).stdout, /pinned/);
    }));

  it("is refused where one host holds the release no more, before any is touched; by hand as well", () =>
    start(async (stack, [old, current]) => {
      rmSync(join(root(stack, "rack-2"), "etc/gofleet/motd/releases", old), { recursive: true });
      const gone = new RegExp(`rack-2: ${old} is gone; kept there: ${current}`);
      const refused = await cli(stack, motd(stack, "second"), "rollback", "--to", old.slice(0, 8), "--yes");
      assert.equal(refused.code, 1, refused.out);
      assert.match(refused.err, gone);
      assert.doesNotMatch(config(stack), /pin/);
      const previous = await cli(stack, motd(stack, "second"), "rollback", "--yes");
      assert.match(previous.err, /no release of motd but the current one is kept on every host/);

      await stack.automation.setConfig("gofleet:pin", { value: JSON.stringify({ motd: old }) });
      stack.program = motd(stack, "second");
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /motd is pinned to release .*, and not every host can go back to it/);
      assert.match(failed.errors.join("\n"), gone);
      assert.deepEqual(texts(stack), ["second", "second", "second"]);
    }));

  it("leaves every host as it was where one does not become healthy on the way back, and says what stays", () =>
    start(async (stack, [old, current]) => {
      writeFileSync(join(root(stack, "rack-2"), "fails"), "first\n");
      const failed = await cli(stack, motd(stack, "second"), "rollback", "--yes");
      assert.equal(failed.code, 1, failed.out);
      assert.match(failed.out + failed.err, new RegExp(`rack-2 .*: release ${old} failed, back on ${current}`));
      assert.match(failed.err, /The stack's configuration stays as it was just written/);
      assert.deepEqual(texts(stack), ["second", "second", "second"]);
      stack.program = motd(stack, "second");
      assert.match(
        await stack.previewText(),
        new RegExp(`\\+ pin *: .*release *: "${old}"`, "s"),
        "the state is the old one",
      );

      rmSync(join(root(stack, "rack-2"), "fails"));
      await stack.up();
      assert.deepEqual(texts(stack), ["first", "first", "first"]);
    }));

  it("moves no other component, wants a reason for a protected one, and asks before it does anything", () =>
    start(
      async (stack, [old]) => {
        const program = motd(stack, "third", { protect: true, components: ["motd", "other"] });
        const which = await cli(stack, program, "rollback", "--yes");
        assert.match(which.err, /which component\? The stack has motd, other/);
        assert.match((await cli(stack, program, "rollback", "mtod", "--yes")).err, /no component "mtod" in the stack/);
        const why = await cli(stack, program, "rollback", "motd", "--yes");
        assert.match(why.err, /motd: a protected component .* needs --reason "why"/);
        const ask = await cli(stack, program, "rollback", "motd", "--reason", "x");
        assert.match(ask.err, /no terminal to ask on; give --yes/);
        assert.doesNotMatch(config(stack), /pin/);

        const back = await cli(stack, program, "rollback", "motd", "--to", old, "--reason", "x", "--yes");
        assert.equal(back.code, 0, back.out + back.err);
        assert.deepEqual(texts(stack), ["first", "first", "first"]);
        assert.deepEqual(texts(stack, "other"), ["second", "second", "second"], "its own change waits for its own up");
      },
      { protect: true, components: ["motd", "other"] },
    ));

  it("warns of a pin that holds nothing, and takes it off", () =>
    start(async (stack, [old]) => {
      stack.program = motd(stack, "second");
      await stack.automation.setConfig("gofleet:pin", { value: JSON.stringify({ mtod: old }) });
      assert.match(
        await said(stack.preview()),
        /gofleet:pin holds "mtod", and no component of the program has that directory; there are motd\. .gofleet rollback mtod --undo. takes the pin off/,
      );
      const undone = await cli(stack, motd(stack, "second"), "rollback", "mtod", "--undo", "--yes");
      assert.equal(undone.code, 0, undone.err);
      assert.doesNotMatch(config(stack), /pin/);
      await stack.automation.setConfig("gofleet:pin", { value: '{"motd":"latest"}' });
      const broken = await stack.preview({ expect: "failure" });
      assert.match(
        broken.stdout + broken.stderr,
        /gofleet:pin\.motd: given "latest", wanted a release id: 16 hex digits/,
      );
    }));

  it("restores a snapshot whose releases stayed, however many came after", () =>
    start(
      async (stack, [, current]) => {
        const components = ["motd", "other"];
        const of = (text: string) => motd(stack, text, { components });
        const named = await cli(stack, of("second"), "snapshots", "protect", "v1.4.2");
        assert.equal(named.code, 0, named.err);
        assert.match(config(stack), new RegExp(`gofleet:snapshots:\\n {4}v1\\.4\\.2:\\n {6}motd: ["']?${current}`));
        for (const text of ["third", "fourth", "fifth", "sixth"]) {
          stack.program = of(text);
          await stack.up();
        }
        const list = await cli(stack, of("sixth"), "snapshots", "list");
        assert.match(list.out, new RegExp(`^v1\\.4\\.2 +motd +${current} +kept on all$`, "m"), list.out + list.err);
        assert.match(
          (await cli(stack, of("sixth"), "releases", "motd")).out,
          new RegExp(`${current} .* protected$`, "m"),
        );

        const restored = await cli(stack, of("sixth"), "snapshots", "restore", "v1.4.2", "--yes");
        assert.equal(restored.code, 0, restored.out + restored.err);
        for (const name of components) assert.deepEqual(texts(stack, name), ["second", "second", "second"]);
        assert.match(
          (await cli(stack, of("sixth"), "snapshots", "restore", "v9")).err,
          /no snapshot v9; there are v1\.4\.2/,
        );

        assert.equal((await cli(stack, of("sixth"), "rollback", "--undo", "--yes")).code, 0);
        assert.equal((await cli(stack, of("sixth"), "snapshots", "unprotect", "v1.4.2")).code, 0);
        for (const text of ["seventh", "eighth", "ninth"]) {
          stack.program = of(text);
          await stack.up();
        }
        const after = (await cli(stack, of("ninth"), "releases", "motd", "--json")).out;
        assert.doesNotMatch(after, new RegExp(current), "given up, it goes like any other");
      },
      { components: ["motd", "other"] },
    ));
});
