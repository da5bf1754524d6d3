import assert from "node:assert/strict";
import { compareGoVersions, isGoMajor, majorOf, parseGoVersion } from "../../src/model/go-version";

describe("Go versions", () => {
  for (const version of ["1.26.8", "1.21.0", "1.27rc1", "1.28beta2", "2.0.0"]) {
    it(`takes ${version}`, () => assert.deepEqual(parseGoVersion("v", version), { value: version }));
  }

  const bad: [unknown, RegExp][] = [
    ["1.26", /lock\("1\.26"\)/],
    ["go1.26.8", /"1\.26\.8", without "go"/],
    ["v1.26.8", /an exact Go version/],
    ["1.26.x", /moving name/],
    ["latest", /moving name/],
    ["1.20.14", /1\.21\.0 or newer/],
    ["1.26.08", /an exact Go version/],
    ["1.26.8\n", /an exact Go version/],
    ["1.26.8-custom", /an exact Go version/],
    ["1.27rc0", /an exact Go version/],
    [1.26, /an exact Go version/],
    [undefined, /an exact Go version/],
  ];
  for (const [given, wanted] of bad) {
    it(`refuses ${JSON.stringify(given)}`, () => assert.match(parseGoVersion("v", given).issue?.wanted ?? "", wanted));
  }

  it("orders pre-releases before releases and numbers by value", () => {
    const ordered = ["1.9.0", "1.26.0", "1.26.8", "1.26.10", "1.27beta1", "1.27rc1", "1.27rc2", "1.27.0", "2.0.0"];
    assert.deepEqual([...ordered].reverse().sort(compareGoVersions), ordered);
    assert.equal(compareGoVersions("1.26.8", "1.26.8"), 0);
  });

  it("knows majors", () => {
    assert.equal(majorOf("1.26.8"), "1.26");
    assert.equal(majorOf("1.27rc1"), "1.27");
    assert.ok(isGoMajor("1.26"));
    assert.ok(!isGoMajor("1.26.8") && !isGoMajor("01.2") && !isGoMajor("1"));
  });
});
