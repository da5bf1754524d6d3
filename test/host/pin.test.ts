import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, disconnectAll } from "../../src/host/connect";
import { HostQueue } from "../../src/host/host-queue";
import { diffRelease, pinnedText } from "../../src/host/release-diff";
import { ReleaseManager } from "../../src/host/release-manager";
import { parseActual, planInputs, type ReleaseInputs, type ReleaseState } from "../../src/host/release";
import { EMPTY_PLAN, type HostPlan } from "../../src/plan/host-plan";
import { removeTree } from "../support/remove-tree";
import { POLICY } from "../support/release-policy";

const MOTD = "/etc/motd.d/gofleet";
const HOSTS = ["a", "b", "c"];

/** Directories that stand for hosts, and the real agent in them. */
describe("a pinned release", function () {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "gofleet-pin-"))));
  afterEach(() => {
    disconnectAll();
    removeTree(folder);
  });

  const root = (host: string): string => join(folder, host);
  const silent = { status: () => undefined, info: () => undefined, warn: () => undefined };
  const manager = (): ReleaseManager =>
    new ReleaseManager({ connect, progress: silent, stop: new AbortController().signal, queue: new HostQueue() });

  /** The file says which release it is; the probe fails where the host's `fails` names it. */
  function inputs(text: string, more: Partial<ReleaseInputs> = {}): ReleaseInputs {
    const plan: HostPlan = {
      ...EMPTY_PLAN,
      files: [{ path: MOTD, text: `${text}\n`, mode: "0644", owner: "root", group: "root", place: "link" }],
      probes: [{ name: "motd", timeout: 60, script: `! grep -qsx ${text} "$GOFLEET_ROOT/fails" && echo ${text}\n` }],
    };
    return {
      component: "motd",
      stack: "organization/fleet/dev",
      resourceUrn: "urn:pulumi:dev::fleet::test:Motd::motd",
      files: Object.fromEntries(plan.files.map((file) => [file.path, file.text])),
      plan: planInputs(plan),
      hosts: Object.fromEntries(HOSTS.map((host) => [host, `local ${root(host)}`])),
      policy: POLICY,
      rollout: { canary: 1, batch: 1, parallel: 2, onFailure: "rollback", pause: 0 },
      ...more,
    };
  }

  const releases = ({ actual }: ReleaseState): string[] =>
    HOSTS.map((host) => parseActual(actual[host])?.release ?? "");
  const texts = (): string[] => HOSTS.map((host) => readFileSync(join(root(host), MOTD), "utf8").trim());

  /** Two releases on every host, the second one current. */
  async function twoReleases(): Promise<{ first: ReleaseState; second: ReleaseState; old: string }> {
    const first = await manager().create(inputs("first"));
    const second = await manager().update(first, inputs("second"));
    return { first, second, old: releases(first)[0] ?? "" };
  }

  it("is what every host goes back to, whatever the program says, and stays on until the pin goes", async () => {
    const { second, old } = await twoReleases();
    const pin = { release: old, reason: "checkout answers 500" };
    const pinned = inputs("second", { pin });
    assert.equal(diffRelease(second, pinned).changes, true);
    const held = await manager().update(second, pinned);
    assert.deepEqual(texts(), ["first", "first", "first"]);
    assert.deepEqual(releases(held), [old, old, old]);
    assert.deepEqual(held.pin, pin);
    assert.deepEqual(held.readings, { motd: "first" });
    assert.equal(diffRelease(held, pinned).changes, false, "a second update has nothing to do");

    const third = inputs("third", { pin });
    assert.equal(diffRelease(held, third).changes, true, "a changed program is shown");
    const still = await manager().update(held, third);
    assert.deepEqual(texts(), ["first", "first", "first"]);
    assert.equal(diffRelease(still, third).changes, false);

    assert.equal(diffRelease(still, inputs("third")).changes, true);
    const undone = await manager().update(still, inputs("third"));
    assert.deepEqual(texts(), ["third", "third", "third"]);
    assert.equal(undone.pin, undefined);
    assert.equal(diffRelease(undone, inputs("third")).changes, false);
  });

  it("is told at every preview, with the program's release that waits", async () => {
    const { second, old } = await twoReleases();
    const [current = ""] = releases(second);
    assert.equal(pinnedText(second, inputs("second")), undefined);
    assert.equal(
      pinnedText(second, inputs("second", { pin: { release: old, reason: "checkout answers 500" } })),
      `pinned to release ${old} (checkout answers 500): the program's release ${current} is not rolled out, ` +
        "until `gofleet rollback motd --undo`",
    );
    assert.match(pinnedText(second, inputs("first", { pin: { release: old } })) ?? "", /the program's release as well/);
  });

  it("is refused where hosts no longer hold it whole, before any is touched, naming them and what they keep", async () => {
    const { second, old } = await twoReleases();
    const [current = ""] = releases(second);
    rmSync(join(root("b"), "etc/gofleet/motd/releases", old), { recursive: true });
    writeFileSync(join(root("c"), "etc/gofleet/motd/releases", old, MOTD), "by hand\n");
    await assert.rejects(manager().update(second, inputs("second", { pin: { release: old } })), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`^motd is pinned to release ${old}, and not every host can go back to it`),
      );
      assert.match(error.message, new RegExp(`^  b: ${old} is gone; kept there: ${current}$`, "m"));
      assert.match(error.message, new RegExp(`^  c: ${old} is there, and not as it came`, "m"));
      assert.doesNotMatch(error.message, /^ {2}a:/m);
      assert.match(error.message, /gofleet rollback motd --undo/);
      return true;
    });
    assert.deepEqual(texts(), ["second", "second", "second"]);
  });

  it("goes in waves, and is taken back everywhere where one host does not become healthy on it", async () => {
    const { second, old } = await twoReleases();
    writeFileSync(join(root("b"), "fails"), "first\n");
    await assert.rejects(manager().update(second, inputs("second", { pin: { release: old } })), (error: Error) => {
      assert.match(error.message, new RegExp(`b .*: release ${old} failed, back on ${releases(second)[1] ?? ""}`));
      assert.match(error.message, /^a: put back$/m);
      assert.match(error.message, /^not reached: c$/m);
      return true;
    });
    assert.deepEqual(texts(), ["second", "second", "second"]);
  });

  it("has no say over what it cannot hold: a host that is new to the pool is refused", async () => {
    const first = await manager().create(inputs("first", { hosts: { a: `local ${root("a")}` } }));
    const old = parseActual(first.actual["a"])?.release ?? "";
    await assert.rejects(
      manager().update(first, inputs("first", { pin: { release: old } })),
      /^ {2}b: [0-9a-f]{16} is gone; no release is kept there$/m,
    );
  });
});
