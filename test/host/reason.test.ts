import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, disconnectAll } from "../../src/host/connect";
import { HostQueue } from "../../src/host/host-queue";
import { asReason, reasonGiven } from "../../src/host/reason";
import { checkRelease } from "../../src/host/release-check";
import { ReleaseManager } from "../../src/host/release-manager";
import { parseActual, planInputs, type ReleaseInputs, type ReleaseState } from "../../src/host/release";
import { EMPTY_PLAN, type HostPlan } from "../../src/plan/host-plan";
import { removeTree } from "../support/remove-tree";
import { POLICY } from "../support/release-policy";

const FILE = "/etc/motd.d/gofleet";
const EVENTS = "/var/log/gofleet/audit.log";

/** Directories that stand for hosts, and the real agent in them. */
describe("the reason of a run", function () {
  let folder = "";
  const before = process.env["GOFLEET_REASON"];
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "gofleet-reason-"))));
  afterEach(() => {
    say(before);
    disconnectAll();
    removeTree(folder);
  });

  const say = (reason: string | undefined): void => {
    if (reason === undefined) delete process.env["GOFLEET_REASON"];
    else process.env["GOFLEET_REASON"] = reason;
  };
  const silent = { status: () => undefined, info: () => undefined, warn: () => undefined };
  const manager = (): ReleaseManager =>
    new ReleaseManager({ connect, progress: silent, stop: new AbortController().signal, queue: new HostQueue() });
  const root = (host: string): string => join(folder, host);

  function inputs(text: string, more: Partial<ReleaseInputs> = {}, hosts: readonly string[] = ["a", "b"]) {
    const plan: HostPlan = {
      ...EMPTY_PLAN,
      files: [{ path: FILE, text: `${text}\n`, mode: "0644", owner: "root", group: "root", place: "link" }],
      probes: [
        { name: "b-fails", timeout: 60, script: `case ${text}:$GOFLEET_ROOT in bad:*/b) exit 1 ;; esac\necho well\n` },
      ],
    };
    const found: ReleaseInputs = {
      component: "motd",
      stack: "organization/fleet/dev",
      resourceUrn: "urn:pulumi:dev::fleet::test:Motd::motd",
      files: { [FILE]: `${text}\n` },
      plan: planInputs(plan),
      hosts: Object.fromEntries(hosts.map((host) => [host, `local ${root(host)}`])),
      policy: { ...POLICY, audit: `file:${EVENTS}`, reasons: true },
      rollout: { canary: 1, batch: 1, parallel: 2, onFailure: "rollback", pause: 0 },
      ...more,
    };
    return found;
  }

  const events = (host: string): [string, string, string | undefined][] =>
    readFileSync(join(root(host), EVENTS), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>)
      .map(({ action = "", outcome = "", reason }) => [action, outcome, reason]);
  /** Causes in the evidence of releases that were taken back though they were well. */
  const causesOf = (host: string): string[] => {
    const runs = join(root(host), "var/lib/gofleet/motd/runs");
    return readdirSync(runs)
      .map((run) => join(runs, run, "left/summary"))
      .filter((path) => existsSync(path))
      .map((path) => /^cause {5}(.*)$/m.exec(readFileSync(path, "utf8"))?.[1] ?? "")
      .sort();
  };
  const release = ({ actual }: ReleaseState): string => parseActual(actual["a"])?.release ?? "";

  it("stands in the event of what it was given for: an update, a pin, going back, a removal", async () => {
    say(undefined);
    const first = await manager().create(inputs("first"));
    say("CVE-2026-1");
    const second = await manager().update(first, inputs("second"));
    say(undefined);
    await assert.rejects(manager().update(second, inputs("bad")), /b-fails failed/);
    const pin = { release: release(first), reason: "checkout answers 500" };
    assert.deepEqual(causesOf("a"), ["the rollout failed on another host"]);
    const pinned = await manager().update(second, inputs("second", { pin }));
    assert.deepEqual(causesOf("a"), ["checkout answers 500", "the rollout failed on another host"]);
    say("moved to another rack");
    await manager().delete(pinned);
    const [, , , putBack] = events("a");
    assert.deepEqual(events("a"), [
      ["apply", "ok", undefined],
      ["apply", "ok", "CVE-2026-1"],
      ["apply", "ok", undefined],
      putBack,
      ["rollback", "ok", "checkout answers 500"],
      ["remove", "removed", "moved to another rack"],
    ]);
    assert.deepEqual(putBack?.slice(0, 2), ["rollback", "ok"]);
    assert.match(putBack?.[2] ?? "", /^(the rollout failed on another host|b .*b-fails failed.*)$/);
  });

  it("is needed to take a component off, where its target says so: nothing is touched without", async () => {
    say(undefined);
    const state = await manager().create(inputs("first"));
    const refused = /^Error: motd is not taken off a, b without a reason, .*\n {2}→ GOFLEET_REASON="why" for this run$/;
    await assert.rejects(manager().delete(state), refused);
    const smaller = inputs("second", {}, ["a"]);
    await assert.rejects(manager().update(state, smaller), /motd is not taken off b without a reason/);
    for (const host of ["a", "b"]) assert.equal(readFileSync(join(root(host), FILE), "utf8"), "first\n");
    const moved = inputs("first", { hosts: { a: `local ${root("a")}`, c: `local ${root("b")}` } });
    await manager().update(state, moved);
    say("b is sold");
    await manager().update(state, smaller);
    assert.deepEqual(events("b").at(-1), ["remove", "removed", "b is sold"]);
  });

  it("is needed at preview for a pin", () => {
    const pin = { release: "0123456789abcdef" };
    const found = checkRelease(inputs("first", { pin }));
    assert.match(found.map(({ reason }) => reason).join("\n"), /gofleet rollback --reason "why"/);
    assert.deepEqual(checkRelease(inputs("first", { pin: { ...pin, reason: "why" } })), []);
    const { reasons: _, ...policy } = inputs("first").policy;
    assert.deepEqual(checkRelease(inputs("first", { pin, policy })), []);
  });

  it("is one line, and refused before a host is touched where it is not", async () => {
    assert.equal(reasonGiven({}), undefined);
    assert.equal(reasonGiven({ GOFLEET_REASON: " why " }), "why");
    assert.throws(
      () => reasonGiven({ GOFLEET_REASON: "a\nb" }),
      /GOFLEET_REASON: .*one line of at most 200 characters/,
    );
    assert.equal(asReason("gate http failed\n  503\t\u0007three times "), "gate http failed 503 three times");
    assert.equal(asReason("x".repeat(300)).length, 200);
    say("a\nb");
    await assert.rejects(manager().create(inputs("first")), /GOFLEET_REASON/);
  });
});
