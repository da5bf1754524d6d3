import assert from "node:assert/strict";
import fc from "fast-check";
import {
  apparmorBelow,
  apparmorBetween,
  apparmorDirectory,
  apparmorWord,
} from "../../../src/render/sandbox/apparmor-text";
import { batches } from "../../support/hostile";
import { skipFor } from "../../support/skip";
import { compile, noParser } from "./apparmor-parser";

const UNWRITABLE = /[\p{Cc}\p{Cs}]/u;

describe("text of AppArmor profiles", () => {
  it("quotes words", () => {
    assert.equal(apparmorWord("/var/lib/a b"), '"/var/lib/a b"');
    assert.equal(apparmorBelow("/srv/"), '"/srv/**"');
    assert.equal(apparmorDirectory("/srv"), '"/srv/"');
    assert.equal(apparmorBetween("/etc/{a}/", "/b*"), '"/etc/\\{a\\}/*/b\\*"');
  });

  it("refuses what no line can hold", () => {
    for (const text of ["/a\nb", "/a\0", "/\ud800"]) assert.throws(() => apparmorWord(text));
  });

  describe("as the parser reads it", () => {
    before(function () {
      skipFor(this, noParser());
    });

    const profile = (words: readonly string[]) =>
      compile(`abi <abi/3.0>,\nprofile p {\n${words.map((word) => `  ${word} r,`).join("\n")}\n}\n`);
    /** The same paths as the parser's other spelling has them, each byte in octal. */
    const octal = (path: string) =>
      `"/${[...Buffer.from(path).subarray(1)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`;

    it("stands for itself, whatever is in it", () => {
      fc.assert(
        fc.property(batches(12), (strings) => {
          const paths = strings
            .map((text) => `/p/${text.replaceAll(/\/+/g, "/")}x`)
            .filter((path) => !UNWRITABLE.test(path));
          if (paths.length === 0) return;
          const [ours, theirs] = [profile(paths.map(apparmorWord)), profile(paths.map(octal))];
          assert.equal(ours.complaint, "");
          assert.ok(ours.binary.equals(theirs.binary), JSON.stringify(paths));
        }),
        { numRuns: 40 },
      );
    });

    it("would stand for more if it were not escaped", () => {
      const [plain, escaped] = [profile(['"/p/*"']), profile([apparmorWord("/p/*")])];
      assert.equal(plain.complaint, "");
      assert.ok(!plain.binary.equals(escaped.binary));
    });

    it("is a profile's name", () => {
      assert.deepEqual(compile(`profile ${apparmorWord("gofleet-ci.x_y-1")} {}`).names, ["gofleet-ci.x_y-1"]);
    });
  });
});
