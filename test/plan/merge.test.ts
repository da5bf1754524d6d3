import assert from "node:assert/strict";
import { EMPTY_PLAN, type HostPlan, type PlanBuild, type PlanDownload, type PlanWatch } from "../../src/plan/host-plan";
import { mergePlans } from "../../src/plan/merge";

const file = (path: string) => ({ path, text: "", mode: "0644", owner: "root", group: "root", place: "link" }) as const;
const download = (name: string, more: Partial<PlanDownload> = {}): PlanDownload => ({
  name,
  format: "module",
  variants: [],
  ...more,
});
const build: PlanBuild = { package: ".", output: "tool", goRoot: "/usr/local/go", env: {} };

describe("mergePlans", () => {
  it("makes an empty plan of nothing", () => {
    assert.deepEqual(mergePlans(), EMPTY_PLAN);
    assert.deepEqual(mergePlans({}, {}), EMPTY_PLAN);
  });

  it("joins every list, wants a package once, and takes the longest confirmation", () => {
    const whole: HostPlan = {
      files: [file("/etc/a")],
      symlinks: [{ path: "/etc/b", target: "a", switched: false }],
      downloads: [download("go1.26.8")],
      units: [{ name: "a.service", onChange: "restart", reads: [] }],
      checks: [{ name: "a", timeout: 60, script: "true\n" }],
      probes: [{ name: "a", timeout: 5, script: "true\n" }],
      secrets: [{ name: "token", hmac: "ab" }],
      packages: ["nginx", "ca-certificates"],
      listens: [{ address: "::", port: 443, unit: "a.service" }],
      confirm: 30,
    };
    const more = { files: [file("/etc/c")], packages: ["unzip", "nginx"], confirm: 5 };
    assert.deepEqual(mergePlans(whole, more), {
      ...whole,
      files: [...whole.files, ...more.files],
      packages: ["ca-certificates", "nginx", "unzip"],
    });
  });

  const clashes: readonly (readonly [string, Partial<HostPlan>, Partial<HostPlan>])[] = [
    ["path /etc/a", { files: [file("/etc/a")] }, { symlinks: [{ path: "/etc/a", target: "b", switched: true }] }],
    ["download go1.0", { downloads: [download("go1.0")] }, { downloads: [download("go1.0")] }],
    [
      "unit a.service",
      { units: [{ name: "a.service", onChange: "restart", reads: [] }] },
      { units: [{ name: "a.service", onChange: "none", reads: [] }] },
    ],
    [
      "check a",
      { checks: [{ name: "a", timeout: 1, script: "" }] },
      { checks: [{ name: "a", timeout: 1, script: "true" }] },
    ],
    [
      "probe a",
      { probes: [{ name: "a", timeout: 1, script: "" }] },
      { probes: [{ name: "a", timeout: 2, script: "" }] },
    ],
    ["secret a", { secrets: [{ name: "a", hmac: "1" }] }, { secrets: [{ name: "a", hmac: "2" }] }],
    [
      "port 127.0.0.1 80",
      { listens: [{ address: "127.0.0.1", port: 80, unit: "a.service" }] },
      { listens: [{ address: "127.0.0.1", port: 80, unit: "b.service" }] },
    ],
  ];
  for (const [what, one, other] of clashes) {
    it(`throws for the ${what} twice`, () => {
      assert.throws(() => mergePlans(one, other), new Error(`two parts of a plan have the ${what}`));
    });
  }

  it("takes the watch of one part, and throws for two", () => {
    const watch: PlanWatch = { seconds: 60, interval: 5, script: "exit 0\n", onTrip: "revert", together: [] };
    assert.deepEqual(mergePlans({ watch }, {}).watch, watch);
    assert.throws(() => mergePlans({ watch }, { watch }), new Error("two parts of a plan have a watch"));
  });

  it("throws for a file's name on what is no single file", () => {
    const named = (format: PlanDownload["format"]) => ({ downloads: [download("a", { format, as: "b" })] });
    assert.equal(mergePlans(named("file")).downloads.length, 1);
    assert.throws(() => mergePlans(named("tar.gz")), /download a is no single file/);
  });

  it("throws for a build without its toolchain, by something that is built, or of something that is no module", () => {
    const tool = (goRoot: string, more: Partial<PlanDownload> = {}) => ({
      downloads: [download("tool-1", { build: { ...build, goRoot }, ...more })],
    });
    const go = { downloads: [download("go1.26.8")] };
    assert.equal(mergePlans(tool("download:go1.26.8"), go).downloads.length, 2);
    assert.equal(mergePlans(tool("/usr/local/go")).downloads.length, 1);
    assert.throws(() => mergePlans(tool("download:go1.26.8")), /tool-1 is built by go1\.26\.8, which is no download/);
    assert.throws(() => mergePlans(tool("download:tool-1")), /tool-1 is built by tool-1, which is built itself/);
    assert.throws(() => mergePlans(tool("/usr/local/go", { format: "tar.gz" })), /must be a module, not tar\.gz/);
  });
});
