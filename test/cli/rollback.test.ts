import assert from "node:assert/strict";
import type { Deployed, Kept } from "../../src/cli/releases-deployed";
import { releasesText } from "../../src/cli/releases-table";
import { previousRelease, releaseTo } from "../../src/cli/rollback-choice";
import { hold } from "../../src/cli/rollback-hold";
import type { Outcome } from "../../src/host/in-parallel";
import { refusalOf, type KeptRelease } from "../../src/host/kept";

const [NEW, OLD, OLDER, BROKEN] = ["9c3b0000aaaa1111", "1f0e0000aaaa2222", "1f0e0000bbbb3333", "77aa0000cccc4444"];

function release(id: string, day: number, more: Partial<KeptRelease> = {}): KeptRelease {
  const time = `2026-11-${day}T09:12:00Z`;
  return { id, time, operator: "ann@desk", commit: "", snapshot: "", behind: "", current: false, whole: true, ...more };
}

const ok = (value: readonly KeptRelease[]): Outcome<readonly KeptRelease[]> => ({ ok: true, value });

const kept: Kept = new Map([
  [
    "rack-01",
    ok([
      release(NEW, 21, { current: true, commit: "0a1b2c3d4e5f".padEnd(40, "0") }),
      release(BROKEN, 20, { whole: false }),
      release(OLDER, 19),
      release(OLD, 18, { commit: "f".repeat(40), snapshot: "v1.4.1.20261118T081500Z" }),
    ]),
  ],
  ["rack-02", ok([release(NEW, 22, { current: true, operator: "bob@desk" }), release(BROKEN, 20), release(OLD, 18)])],
]);

const deployed: Deployed = {
  component: "fleet-go",
  urn: "urn:x",
  ancestors: [],
  hosts: { "rack-01": "ssh 192.0.2.1", "rack-02": "ssh 192.0.2.2" },
  actual: { "rack-01": NEW, "rack-02": NEW },
  protect: false,
  reasons: false,
  unreachable: "fail",
};

describe("which release a rollback goes to", () => {
  it("is the newest that runs nowhere and that every host can go back to", () => {
    assert.equal(previousRelease(deployed, kept).id, OLD);
  });

  it("is the one that --to names, by its id or by its beginning", () => {
    assert.equal(releaseTo(OLD, deployed, kept).id, OLD);
    assert.equal(releaseTo("1f0e0000aa", deployed, kept).id, OLD);
  });

  for (const [title, run, wanted] of [
    ["too few digits", () => releaseTo("1f0e", deployed, kept), /--to "1f0e": wanted a release id of 16 hex digits/],
    [
      "a beginning of several",
      () => releaseTo("1f0e0000", deployed, kept),
      /begins several releases of fleet-go.*1f0e0000bbbb3333.*1f0e0000aaaa2222/s,
    ],
    [
      "what no host keeps",
      () => releaseTo("deadbeef", deployed, kept),
      /no host keeps a release deadbeef of fleet-go; there are\n {2}9c3b0000aaaa1111 {2}2026-11-22 09:12 UTC {2}runs on rack-01, rack-02\n/,
    ],
    [
      "the one before a pin",
      () => previousRelease({ ...deployed, pin: { release: NEW } }, kept),
      /is pinned to 9c3b0000aaaa1111 already.*--to <id>/s,
    ],
    [
      "nothing to go back to",
      () => previousRelease(deployed, new Map([["rack-01", ok([release(NEW, 21, { current: true })])]])),
      /no release of fleet-go but the current one is kept on every host/,
    ],
  ] as const) {
    it(`refuses ${title}`, () => assert.throws(run, wanted));
  }
});

describe("a rollback without a reason", () => {
  const never = (): never => assert.fail("the stack must not be asked or changed");
  const stack = { name: "dev", project: "/", ask: never, show: never };
  for (const guarded of [{ protect: true }, { reasons: true }]) {
    it(`is refused before anything where there is ${JSON.stringify(guarded)}`, () =>
      assert.rejects(
        hold(stack, [{ deployed: { ...deployed, ...guarded }, kept, release: release(OLD, 18) }], { engine: [] }),
        /^Error: fleet-go: a protected component .* needs --reason "why"$/,
      ));
  }
});

describe("a rollback to a release from before an irreversible one", () => {
  const never = (): never => assert.fail("the stack must not be asked or changed");
  const stack = { name: "dev", project: "/", ask: never, show: never };
  const across: Kept = new Map([
    ["rack-01", ok([release(NEW, 21, { current: true }), release(OLD, 18, { behind: NEW })])],
    ["rack-02", ok([release(NEW, 21, { current: true }), release(OLD, 18, { behind: NEW })])],
  ]);
  const choice = { deployed, kept: across, release: release(OLD, 18) };

  it("is refused, naming the hosts and the release", () =>
    assert.rejects(hold(stack, [choice], { engine: [], reason: "500s" }), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(
          `^  fleet-go on rack-01: ${NEW}, which came on after ${OLD}, is declared irreversible: --force`,
          "m",
        ),
      );
      return true;
    }));

  it("is refused by force as well where nobody says why", () =>
    assert.rejects(hold(stack, [choice], { engine: [], force: true }), /--force .* needs --reason "why"/));

  it("is not refused by force with a reason, neither by the command nor by the provider", async () => {
    // Nobody is there to be asked: that comes after every refusal.
    await assert.rejects(hold(stack, [choice], { engine: [], force: true, reason: "500s" }), /no terminal to ask on/);
    assert.equal(refusalOf("fleet-go", { release: OLD, reason: "500s", force: true }, across), undefined);
    assert.match(
      refusalOf("fleet-go", { release: OLD, reason: "500s" }, across)?.message ?? "",
      /declared irreversible/,
    );
  });
});

describe("the table of kept releases", () => {
  it("has a line per release over all hosts, the newest first, and steers no terminal", () => {
    const silent = new Map([...kept, ["rack-03", { ok: false as const, error: new Error("no answer \u001b[31m") }]]);
    const text = releasesText(
      { ...deployed, hosts: { ...deployed.hosts, "rack-03": "ssh 192.0.2.3" }, pin: { release: OLD, reason: "500s" } },
      silent,
      (id) => (id === OLD ? "protected" : undefined),
    );
    assert.equal(
      text,
      [
        "fleet-go, 3 hosts, pinned to 1f0e0000aaaa2222: 500s",
        "  release           hosts                               last switch           by        made from",
        "▶ 9c3b0000aaaa1111  runs on 2 of 2                      2026-11-22 09:12 UTC  bob@desk  0a1b2c3d4e5f",
        "  77aa0000cccc4444  kept on 1 of 2, damaged on rack-01  2026-11-20 09:12 UTC  ann@desk  –",
        "  1f0e0000bbbb3333  kept on 1 of 2, gone from rack-02   2026-11-19 09:12 UTC  ann@desk  –",
        "  1f0e0000aaaa2222  kept on 2 of 2                      2026-11-18 09:12 UTC  ann@desk  v1.4.1.20261118T081500Z  pinned, protected",
        "  did not answer:",
        "    rack-03: no answer \uFFFD[31m",
      ].join("\n"),
    );
  });
});
