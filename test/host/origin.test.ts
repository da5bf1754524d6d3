import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { originOf } from "../../src/host/origin";

const ENV = {
  PATH: process.env["PATH"],
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@fleet.example",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@fleet.example",
  GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z",
  TF_BUILD: "True",
  BUILD_BUILDID: "9",
};

describe("what a release is made from", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "gofleet-origin-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const git = (...args: string[]): string => execFileSync("git", args, { cwd: folder, env: ENV, encoding: "utf8" });
  const committed = (): void => {
    git("init", "-q");
    writeFileSync(join(folder, "a"), "1\n");
    git("add", "a");
    git("commit", "-qm", "a");
    git("tag", "v1.4.2");
  };

  it("is the commit and its name, in the CI run that made it", () => {
    committed();
    assert.deepEqual(originOf(folder, ENV), {
      commit: git("rev-parse", "HEAD").trim(),
      snapshot: "v1.4.2.20260102T030405Z.azure-9",
    });
  });

  it("has no name where the work tree has changes, and is nothing outside of a repository", () => {
    mkdirSync(join(folder, "outside"));
    assert.deepEqual(originOf(join(folder, "outside"), { ...ENV, GIT_CEILING_DIRECTORIES: folder }), {});
    committed();
    writeFileSync(join(folder, "a"), "2\n");
    assert.deepEqual(Object.keys(originOf(folder, ENV)), ["commit"]);
  });
});
