import assert from "node:assert/strict";
import { checkToolchain } from "../../src/model/toolchain-check";
import { h1Of, release } from "../support/releases";

const go = release("1.26.8");
const onlyH1 = { version: "1.26.8", checksums: { "linux-amd64": { h1: h1Of("a") } } };

describe("right toolchain args", () => {
  const right: Record<string, unknown> = {
    "a release alone": { go },
    "everything official": {
      go,
      also: [release("1.25.1")],
      source: { kind: "official", url: "https://dl.corp.example/go" },
      env: {
        GOPROXY: "https://goproxy.corp.example,direct",
        GOFLAGS: "-mod=readonly '-ldflags=-s -w'",
        GOTOOLCHAIN: "auto",
      },
      links: false,
      profile: false,
      directory: "fleet-go",
    },
    "modules with only an h1": {
      go: onlyH1,
      source: { kind: "module", proxy: ["https://a.example", "http://192.0.2.1:3000"] },
    },
    "a pushed module": { go: onlyH1, source: { kind: "file", paths: { "linux-amd64": "./go.zip" } } },
    "a file of one platform for a release of two": {
      go,
      source: { kind: "file", paths: { "linux-arm64": "go.tar.gz" } },
    },
    "optional args as undefined": {
      go,
      also: undefined,
      source: undefined,
      env: { GOPROXY: undefined },
      sorce: undefined,
    },
    "its own version as GOTOOLCHAIN": { go, env: { GOTOOLCHAIN: "go1.26.8+auto" } },
  };
  for (const [name, args] of Object.entries(right)) {
    it(name, () => assert.deepEqual(checkToolchain(args), []));
  }

  it("may have keys of their component", () => {
    assert.deepEqual(checkToolchain({ go, target: {}, hooks: {} }, { otherKeys: ["target", "hooks"] }), []);
    assert.equal(
      checkToolchain({ go, taget: {} }, { otherKeys: ["target"] })[0]?.wanted,
      'no such key; did you mean "target"?',
    );
  });

  it("are not judged while they are unknown", () => {
    const unknown = Symbol("unknown");
    const isUnknown = (value: unknown) => value === unknown;
    assert.deepEqual(checkToolchain({ go: unknown, source: unknown, env: unknown, links: unknown }, { isUnknown }), []);
    const issues = checkToolchain({ go, env: { GOPROXY: unknown, GOFLAGS: "x" } }, { isUnknown });
    assert.deepEqual(
      issues.map(({ path }) => path),
      ["env.GOFLAGS"],
    );
  });
});
