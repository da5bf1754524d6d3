import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { EMPTY_PLAN, type HostPlan } from "../../../src/plan/host-plan";
import { manifest } from "../../../src/plan/manifest";
import { confinementPlan, type Confinement } from "../../../src/plan/sandbox/confinement";
import { canaryPlace, sandboxPlace, slotPlace } from "../../../src/plan/sandbox/place";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { assertSystemdTakes, shellcheck } from "./host-tools";

const place = sandboxPlace("ci");

const plan = (change: Partial<Confinement> = {}): Partial<HostPlan> =>
  confinementPlan(
    place,
    {
      mode: "enforce",
      userNamespaces: false,
      slots: [1, 2].map((number) => ({ ...slotPlace(place, number), shared: false })),
      programs: ["/usr/local/lib/gofleet/go"],
      ...change,
    },
    "/usr/local/lib/gofleet/ci/sandbox-0/bin/gofleet-sandbox",
  );

describe("confinement plan", () => {
  it("is as written down", () => {
    const made = plan();
    assertGolden("sandbox/confinement/manifest", manifest({ ...EMPTY_PLAN, ...made }));
    for (const { path, text } of made.files ?? []) assertGolden(`sandbox/confinement${path}`, text);
    for (const { name, script } of made.probes ?? []) assertGolden(`sandbox/confinement/probes/${name}.sh`, script);
    for (const { name, script } of made.checks ?? []) assertGolden(`sandbox/confinement/checks/${name}.sh`, script);
  });

  it("loads the profiles again when a file of theirs changes, and never restarts what slots require", () => {
    const { files = [], units = [] } = plan({ userNamespaces: true });
    const [unit] = units;
    assert.equal(unit?.name, place.apparmor.unit);
    assert.equal(unit?.onChange, "reload");
    const own = files.map(({ path }) => path).filter((path) => !path.includes("-denials."));
    assert.deepEqual([...unit.reads].sort(), own.sort());
  });

  it("brings the profiles for AppArmor 4 only where they differ", () => {
    const paths = (userNamespaces: boolean) => plan({ userNamespaces }).files?.map(({ path }) => path) ?? [];
    assert.ok(paths(true).includes(place.apparmor.path4));
    assert.ok(!paths(false).includes(place.apparmor.path4));
  });

  it("has a profile for the canary build, in the same mode, for its own paths and none of a slot's", () => {
    const textAt = (path: string, mode: Confinement["mode"]) =>
      plan({ mode }).files?.find((each) => each.path === path);
    const text = textAt(place.apparmor.canary, "complain")?.text ?? "";
    assert.match(text, /^profile "gofleet-ci-canary1" flags=\(attach_disconnected, complain\) \{$/m);
    assert.doesNotMatch(text, /slots\/\d/);
    assert.equal(textAt(place.apparmor.canary, "enforce")?.text, text.replace(", complain", ""));
  });

  // The same as the program's own test of its paths has.
  for (const [path, beside] of [
    ["/var/lib/gofleet-ci/slots/1", "/var/lib/gofleet-ci/slots/canary1"],
    ["/srv/1/slots/1/build", "/srv/1/slots/canary1/build"],
    ["/var/cache/gofleet-ci/build", "/var/cache/gofleet-ci/build/.canary1"],
  ] as const) {
    it(`knows where the canary has what a slot has in ${path}`, () => {
      assert.equal(canaryPlace(place, { ...slotPlace(place, 1), buildCache: path }).buildCache, beside);
    });
  }

  it("places as files what is read before links lead anywhere", () => {
    for (const { path, place: kind } of plan().files ?? [])
      assert.equal(kind, path.startsWith("/etc/apparmor.d/") ? "copy" : "link");
  });

  it("has a unit that systemd takes", function () {
    assertSystemdTakes(this, plan().files?.filter(({ path }) => /\.(service|timer)$/.test(path)) ?? []);
  });

  it("has scripts that shellcheck has nothing to say of", function () {
    const { files = [], probes = [], checks = [] } = plan({ userNamespaces: true });
    const own = files.filter(({ path }) => path === place.apparmor.script).map(({ text }) => text);
    const scripts = [...own, ...probes.map(({ script }) => script), ...checks.map(({ script }) => script)];
    assert.equal(scripts.length, 3);
    for (const script of scripts) assert.equal(shellcheck(this, script), "");
  });

  it("says before the switch what a kernel without AppArmor lacks, and what would do", () => {
    const { files = [], checks = [] } = plan();
    const staged = temporaryDirectory();
    try {
      for (const { path, text } of files) {
        mkdirSync(dirname(join(staged, path)), { recursive: true });
        // Whether this machine's kernel has AppArmor does not matter here.
        writeFileSync(join(staged, path), text.replaceAll("/sys/module/apparmor/parameters/enabled", "/nonexistent"));
      }
      const env = { ...process.env, GOFLEET_STAGED: staged };
      const { status, stderr } = spawnSync("sh", ["-c", checks[0]?.script ?? ""], { encoding: "utf8", env });
      assert.equal(status, 1);
      assert.match(stderr, /kernel runs without it.*apparmor=1 security=apparmor.*confinement: "off"/);
    } finally {
      rmSync(staged, { recursive: true });
    }
  });
});
