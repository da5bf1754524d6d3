import assert from "node:assert/strict";
import { describe as texts } from "../../src/model/issues";
import { parsePins } from "../../src/model/pin";
import { parseSnapshots, protectedReleases } from "../../src/model/snapshot-set";

const ID = "0123456789abcdef";

describe("pins of a stack's configuration", () => {
  it("are releases by component, with or without a reason, sorted", () => {
    const { pins, issues } = parsePins({ "fleet-go": { release: ID, reason: " checkout answers 500 " }, cache: ID });
    assert.deepEqual(issues, []);
    assert.deepEqual(
      [...pins],
      [
        ["cache", { release: ID }],
        ["fleet-go", { release: ID, reason: "checkout answers 500" }],
      ],
    );
    assert.deepEqual([...parsePins(undefined).pins], []);
    // As the command line writes it.
    const forced = parsePins({ go: { release: ID, reason: "x", force: "true" } });
    assert.deepEqual([forced.issues, forced.pins.get("go")], [[], { release: ID, reason: "x", force: true }]);
  });

  for (const [title, given, wanted] of [
    ["a list", [ID], /^gofleet:pin: given \["0123456789abcdef"\], wanted releases by component directory/],
    ["a short id", { go: "0123" }, /^gofleet:pin\.go: given "0123", wanted a release id: 16 hex digits, in quotes/],
    ["an id that YAML took for a number", { go: 1234567890123456 }, /gofleet:pin\.go: given 1234567890123456, wanted/],
    ["a name with a dot", { "a.b": "x" }, /^gofleet:pin\["a\.b"\]: /],
    ["a misspelt key", { go: { release: ID, why: "x" } }, /gofleet:pin\.go\.why: /],
    ["a reason of two lines", { go: { release: ID, reason: "a\nb" } }, /gofleet:pin\.go\.reason: .* wanted one line/],
    ["force without a reason", { go: { release: ID, force: true } }, /gofleet:pin\.go\.force: .* with a reason/],
    [
      "force that is none",
      { go: { release: ID, reason: "x", force: "yes" } },
      /gofleet:pin\.go\.force: .* wanted true/,
    ],
    ["a release that is missing", { go: { reason: "x" } }, /gofleet:pin\.go\.release: missing, wanted/],
  ] as const) {
    it(`refuse ${title}`, () => assert.match(texts(parsePins(given).issues), wanted));
  }
});

describe("protected snapshots of a stack's configuration", () => {
  it("name the releases that stay, each once", () => {
    const other = "f".repeat(16);
    const { snapshots, issues } = parseSnapshots({
      "v1.4.2": { go: other, cache: ID },
      "v1.4.1": { go: ID },
      "v1.4.0": { go: other },
    });
    assert.deepEqual(issues, []);
    assert.deepEqual([...snapshots.keys()], ["v1.4.0", "v1.4.1", "v1.4.2"]);
    assert.deepEqual(protectedReleases(snapshots, "go"), [ID, other]);
    assert.deepEqual(protectedReleases(snapshots, "mirror"), []);
  });

  for (const [title, given, wanted] of [
    ["a text", "v1", /^gofleet:snapshots: given "v1", wanted snapshots by name/],
    ["a name with a slash", { "a/b": { go: ID } }, /gofleet:snapshots\["a\/b"\]: given "a\/b", wanted a name of/],
    ["a set that is none", { "v1.0.0": ID }, /gofleet:snapshots\["v1\.0\.0"\]: .* wanted releases by component/],
    ["an id that is none", { v1: { go: "x" } }, /gofleet:snapshots\.v1\.go: given "x", wanted a release id/],
  ] as const) {
    it(`refuse ${title}`, () => assert.match(texts(parseSnapshots(given).issues), wanted));
  }
});
