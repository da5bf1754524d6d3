import assert from "node:assert/strict";
import { EMPTY_PLAN, type HostPlan, type PlanBuild } from "../../src/plan/host-plan";
import { manifest, releaseId, sha256 } from "../../src/plan/manifest";
import { recipeDigest } from "../../src/plan/recipe";

const build: PlanBuild = {
  package: "./cmd/tool",
  output: "tool",
  goRoot: "download:go1.26.8",
  env: { GOPROXY: "https://goproxy.corp.example", GOFLAGS: "-tags=small", GOAMD64: "v3" },
};
const plan = (more: Partial<HostPlan> = {}, recipe: Partial<PlanBuild> = {}): HostPlan => ({
  ...EMPTY_PLAN,
  downloads: [
    {
      name: "tool-1.2.3",
      format: "module",
      variants: [{ arch: "any", checksum: "h1:CCC", urls: [] }],
      build: { ...build, ...recipe },
    },
  ],
  ...more,
});
const records = (text: string, kind: string): string[] =>
  text.split("\n").filter((line) => line.startsWith(`${kind}\t`));

describe("manifest", () => {
  it("of an empty plan is what it was before there were builds, packages and ports", () => {
    assert.equal(manifest(EMPTY_PLAN), "gofleet\t1\nconfirm\t0\n");
    assert.equal(releaseId(manifest(EMPTY_PLAN)), sha256("gofleet\t1\nconfirm\t0\n").slice(0, 16));
  });

  it("names builds, packages and ports, sorted", () => {
    const text = manifest(
      plan({
        packages: ["nginx", "ca-certificates"],
        listens: [
          { address: "::", port: 443, unit: "b.service" },
          { address: "127.0.0.1", port: 80, unit: "a.service" },
        ],
      }),
    );
    const shaping = sha256("GOAMD64=v3\nGOFLAGS=-tags=small\n");
    assert.deepEqual(records(text, "build"), [
      `build\ttool-1.2.3\t./cmd/tool\ttool\tdownload:go1.26.8\tbin\t${shaping}`,
    ]);
    assert.deepEqual(records(text, "package"), ["package\tca-certificates", "package\tnginx"]);
    assert.deepEqual(records(text, "listen"), ["listen\t127.0.0.1\t80\ta.service", "listen\t::\t443\tb.service"]);
    const lines = text.trimEnd().split("\n").slice(1);
    assert.deepEqual(lines, [...lines].sort());
  });

  it("has at most one record of a watch, in which the order of other components does not count", () => {
    const watched = (together: readonly string[]): string =>
      manifest(plan({ watch: { seconds: 600, interval: 10, script: "exit 0\n", onTrip: "revert", together } }));
    assert.deepEqual(records(watched([]), "watch"), [`watch\t600\t10\trevert\t-\t${sha256("exit 0\n")}`]);
    assert.deepEqual(records(watched(["b", "a"]), "watch"), [`watch\t600\t10\trevert\ta,b\t${sha256("exit 0\n")}`]);
    assert.equal(watched(["b", "a"]), watched(["a", "b"]));
  });

  it("names checks and probes by their scripts' sums, so that another script is another release", () => {
    const checked = (script: string): string =>
      manifest(
        plan({ checks: [{ name: "canary", timeout: 600, script }], probes: [{ name: "a", timeout: 5, script }] }),
      );
    assert.deepEqual(records(checked("true\n"), "check"), [`check\tcanary\t600\t${sha256("true\n")}`]);
    assert.deepEqual(records(checked("true\n"), "probe"), [`probe\ta\t5\t${sha256("true\n")}`]);
    assert.notEqual(releaseId(checked("true\n")), releaseId(checked("false\n")));
  });

  it("is another for what shapes a command, not for where its modules come from", () => {
    const id = (recipe: Partial<PlanBuild>): string => releaseId(manifest(plan({}, recipe)));
    assert.equal(id({ env: { ...build.env, GOPROXY: "off", GOSUMDB: "off", HTTPS_PROXY: "http://proxy" } }), id({}));
    const others: Partial<PlanBuild>[] = [
      { package: "." },
      { output: "other" },
      { goRoot: "/usr/local/go" },
      { keepSources: true },
      { env: { ...build.env, GOAMD64: "v2" } },
    ];
    assert.equal(new Set([...others, {}].map(id)).size, 6);
    const digest = (recipe: Partial<PlanBuild>): string => recipeDigest({ ...build, ...recipe });
    assert.equal(new Set([...others, {}].map(digest)).size, 6);
    assert.equal(digest({ env: { GOAMD64: "v3", GOFLAGS: "-tags=small" } }), digest({}));
    assert.match(digest({}), /^[0-9a-f]{8}$/);
  });

  it("asks a unit to restart when the command it reads is built another way", () => {
    const unit = { name: "a.service", onChange: "restart", reads: ["tool-1.2.3"] } as const;
    const digest = (recipe: Partial<PlanBuild>): string[] => records(manifest(plan({ units: [unit] }, recipe)), "unit");
    assert.notDeepEqual(digest({ goRoot: "download:go1.26.9" }), digest({}));
    assert.deepEqual(digest({ env: { ...build.env, GOPROXY: "off" } }), digest({}));
  });

  it("gives a unit that is reloaded a second digest, of what a reload does not take up", () => {
    const unit = { name: "a.service", onChange: "reload", reads: ["tool-1.2.3", "/etc/a"] } as const;
    const fields = (restartFor?: readonly string[], recipe: Partial<PlanBuild> = {}): string[] =>
      records(manifest(plan({ units: [restartFor === undefined ? unit : { ...unit, restartFor }] }, recipe)), "unit")
        .join()
        .split("\t");
    assert.equal(fields().length, 4);
    const [, , , , atStart] = fields(["tool-1.2.3"]);
    assert.match(atStart ?? "", /^[0-9a-f]{64}$/);
    assert.notEqual(fields(["tool-1.2.3"], { goRoot: "download:go1.26.9" })[4], atStart);
  });
});
