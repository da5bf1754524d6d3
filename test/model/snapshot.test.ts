import assert from "node:assert/strict";
import { sentence } from "../../src/model/issues";
import { snapshotId, type SnapshotSource } from "../../src/model/snapshot";

const TAGGED = "v1.4.2-0-g0123456789ab";
const GITHUB = { GITHUB_ACTIONS: "true", GITHUB_RUN_ID: "4711", GITHUB_RUN_ATTEMPT: "2" };
const source = (more: Partial<SnapshotSource> = {}): SnapshotSource => ({
  env: {},
  describe: TAGGED,
  commitTime: "2026-11-21T14:37:00+01:00",
  ...more,
});
const id = (more: Partial<SnapshotSource> = {}) => snapshotId(source(more)).value;

describe("a snapshot's name", () => {
  it("is the version, the commit's time in UTC and the CI run", () => {
    assert.equal(id(), "v1.4.2.20261121T133700Z");
    assert.equal(id({ env: GITHUB }), "v1.4.2.20261121T133700Z.github-4711-2");
    assert.equal(id({ describe: "v1.4.2-3-g0123456789ab" }), "v1.4.2-3-g0123456789ab.20261121T133700Z");
    assert.equal(id({ describe: "1.4.2-rc.1-0-g0123456789ab" }), "v1.4.2-rc.1.20261121T133700Z");
  });

  it("has no version of its own without a tag that is one", () => {
    for (const describe of ["0123456789ab", "nightly-5-g0123456789ab"]) {
      assert.equal(id({ describe }), "v0.0.0-g0123456789ab.20261121T133700Z");
    }
  });

  for (const [name, env] of Object.entries({
    "github-4711-2": GITHUB,
    "gitlab-81": { GITLAB_CI: "true", CI_PIPELINE_ID: "81" },
    "azure-9": { TF_BUILD: "True", BUILD_BUILDID: "9" },
    "buildkite-12": { BUILDKITE: "true", BUILDKITE_BUILD_NUMBER: "12" },
    "jenkins-7": { JENKINS_URL: "https://ci.example/", BUILD_NUMBER: "7" },
  })) {
    it(`takes the run from the environment of ${name}`, () =>
      assert.ok(id({ env })?.endsWith(`Z.${name}`), id({ env })));
  }

  it("is the same in every time zone and at any time", () => {
    assert.equal(id({ commitTime: "2026-11-21T13:37:00Z" }), id({ commitTime: "2026-11-21T08:37:00-05:00" }));
  });

  it("fits a label: only their characters, cut to length, and still told apart", () => {
    const long = (build: string) => ({
      describe: `v1.4.2+${"a/b.".repeat(20)}${build}-0-g0123456789ab`.replaceAll("/", "-"),
      env: { BUILDKITE: "true", BUILDKITE_BUILD_NUMBER: "refs/heads/main #5 ä" },
    });
    const [a = "", b = ""] = [id(long("x")), id(long("y"))];
    for (const each of [a, b]) {
      assert.ok(each.length <= 63, each);
      assert.match(each, /^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$/);
    }
    assert.notEqual(a, b);
    assert.equal(a, id(long("x")));
  });

  for (const [title, more, wanted] of [
    ["a work tree with changes", { describe: `${TAGGED}-dirty` }, /wanted a commit: changes/],
    ["what git describe does not print", { describe: "fatal: no names" }, /wanted what `git describe/],
    ["a time that is none", { commitTime: "yesterday" }, /wanted the commit's time/],
  ] as const) {
    it(`refuses ${title}`, () => {
      const { issue } = snapshotId(source(more));
      assert.match(issue === undefined ? "" : sentence(issue), wanted);
    });
  }
});
