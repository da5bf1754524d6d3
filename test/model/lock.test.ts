import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EMPTY_LOCK, formatLock, parseLock, releaseFrom, withChecksums, type Lock } from "../../src/model/lock";
import { findLockFile, lock } from "../../src/model/lock-file";
import { temporaryDirectory } from "../support/go";
import { h1Of, release, sha256Of } from "../support/releases";

const LOCK: Lock = {
  version: 1,
  go: Object.fromEntries(
    (["1.26.8", "1.26.10", "1.25.1", "1.27rc1"] as const).map((version) => [version, release(version).checksums]),
  ),
};

describe("lock", () => {
  it("gives the newest locked release of a major, by number", () => {
    assert.deepEqual(releaseFrom(LOCK, "1.26"), release("1.26.10"));
  });

  it("gives an exact release", () => assert.deepEqual(releaseFrom(LOCK, "1.26.8"), release("1.26.8")));

  it("gives a pre-release only where nothing else is locked", () => {
    assert.equal(releaseFrom(LOCK, "1.27").version, "1.27rc1");
    const both = { ...LOCK, go: { ...LOCK.go, "1.27.0": release("1.27.0").checksums } };
    assert.equal(releaseFrom(both, "1.27").version, "1.27.0");
  });

  for (const wanted of ["1.28", "1.26.9"]) {
    it(`names the command when ${wanted} is not locked`, () => {
      assert.throws(() => releaseFrom(LOCK, wanted, "gofleet.lock.json"), {
        message: `Go ${wanted} is not in gofleet.lock.json; write it with: npx gofleet lock ${wanted}`,
      });
    });
  }

  it("refuses what is no version", () =>
    assert.throws(() => releaseFrom(LOCK, "latest"), /given "latest", wanted a version/));

  it("writes the same text whatever the order", () => {
    const reversed: Lock = {
      version: 1,
      go: Object.fromEntries(
        Object.entries(LOCK.go)
          .reverse()
          .map(([version, platforms]) => [version, Object.fromEntries(Object.entries(platforms).reverse())]),
      ),
    };
    assert.equal(formatLock(reversed), formatLock(LOCK));
    assert.deepEqual(Object.keys(parseLock(formatLock(LOCK)).go), ["1.25.1", "1.26.8", "1.26.10", "1.27rc1"]);
  });

  it("reads what it writes", () => assert.deepEqual(parseLock(formatLock(LOCK)), LOCK));

  it("keeps the other checksum of a platform", () => {
    const first = withChecksums(EMPTY_LOCK, "1.26.8", "linux-amd64", { sha256: sha256Of("a") });
    const both = withChecksums(first, "1.26.8", "linux-amd64", { h1: h1Of("a") });
    assert.deepEqual(both.go["1.26.8"], { "linux-amd64": { sha256: sha256Of("a"), h1: h1Of("a") } });
  });

  const faulty: Record<string, [unknown, RegExp]> = {
    "a list": [[], /wanted \{ "version": 1/],
    "another format": [{ version: 2, go: {} }, /version: given 2, wanted 1/],
    "a major as key": [{ version: 1, go: { "1.26": {} } }, /go\["1\.26"\]: given \{\}, wanted an exact version/],
    "another platform": [{ version: 1, go: { "1.26.8": { "darwin-arm64": {} } } }, /a supported platform/],
    "a short digest": [
      { version: 1, go: { "1.26.8": { "linux-amd64": { sha256: "a1" } } } },
      /go\["1\.26\.8"\]\.linux-amd64\.sha256: given "a1"/,
    ],
    "no checksum": [{ version: 1, go: { "1.26.8": { "linux-amd64": {} } } }, /sha256, h1 or both/],
    "an unknown key": [{ version: 1, go: {}, gos: 1 }, /did you mean "go"\?/],
  };
  for (const [name, [given, message]] of Object.entries(faulty)) {
    it(`refuses ${name}`, () => assert.throws(() => parseLock(JSON.stringify(given), "x.json"), message));
  }

  it("says so when the file is not JSON", () =>
    assert.throws(() => parseLock("{", "x.json"), /^Error: x\.json is not JSON/));

  describe("file", () => {
    let folder: string;
    const cwd = process.cwd();
    beforeEach(() => (folder = temporaryDirectory()));
    afterEach(() => {
      process.chdir(cwd);
      rmSync(folder, { recursive: true });
    });

    it("is found upward from the working directory", () => {
      const below = join(folder, "a", "b");
      mkdirSync(below, { recursive: true });
      writeFileSync(join(folder, "gofleet.lock.json"), formatLock(LOCK));
      process.chdir(below);
      assert.equal(lock("1.26").version, "1.26.10");
      assert.equal(findLockFile(below), join(folder, "gofleet.lock.json"));
    });

    it("can be named", () => {
      writeFileSync(join(folder, "other.json"), formatLock(LOCK));
      assert.equal(lock("1.25", join(folder, "other.json")).version, "1.25.1");
    });

    it("names the command when it is missing", () => {
      process.chdir(folder);
      assert.throws(
        () => lock("1.26"),
        /no gofleet\.lock\.json in .* or above it; write it with: npx gofleet lock 1\.26$/,
      );
      assert.throws(() => lock("1.26", "gone.json"), /no lock file gone\.json; write it with: npx gofleet lock 1\.26$/);
    });
  });

  it("of this project can be read", () => {
    const file = join(__dirname, "..", "..", "gofleet.lock.json");
    assert.equal(lock("1.26", file).version, "1.26.8");
    assert.ok(lock("1.25.10", file).checksums["linux-amd64"]?.h1);
  });
});
