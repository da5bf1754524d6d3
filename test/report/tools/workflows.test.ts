import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { needsGo } from "../../support/go";
import { REPOSITORY } from "../../support/engine/project";

const FILES = ["fleet-report.yml", "fleet-report-post.yml"];

describe("GitHub workflows in examples/ci, by actionlint", function () {
  // The first time it is built from its Go module; go.sum beside this file says from what.
  this.timeout(900_000);

  before(function () {
    needsGo(this);
  });

  /** What actionlint, and shellcheck for the scripts, have against a workflow. */
  function complaints(text: string): string {
    const env = { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" };
    const options = { cwd: join(__dirname, "actionlint"), env, encoding: "utf8", input: text } as const;
    const { status, stdout, stderr } = spawnSync("go", ["tool", "actionlint", "-no-color", "-"], options);
    assert.ok(status === 0 || status === 1, stderr);
    assert.equal(status === 0, stdout === "", stderr);
    return stdout;
  }
  const read = (name: string): string => readFileSync(join(REPOSITORY, "examples/ci/github", name), "utf8");

  for (const name of FILES) it(`finds nothing in ${name}`, () => assert.equal(complaints(read(name)), ""));

  const WRONG: Readonly<Record<string, [from: string, to: string, says: RegExp]>> = {
    "a key that GitHub does not know": ["timeout-minutes:", "timeout-minuts:", /unexpected key "timeout-minuts"/],
    "a property that an event does not have": [
      "github.event.pull_request.base",
      "github.pull_request.base",
      /property/,
    ],
    "a permission that there is not": ["contents: read", "contents: reads", /"reads" is invalid/],
  };
  for (const [name, [from, to, says]] of Object.entries(WRONG)) {
    it(`would find ${name}`, () => {
      const text = read("fleet-report.yml");
      assert.ok(text.includes(from));
      assert.match(complaints(text.replace(from, to)), says);
    });
  }
});
