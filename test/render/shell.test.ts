import assert from "node:assert/strict";
import { command, quote } from "../../src/render/shell";

describe("quote", () => {
  const cases: Record<string, string> = {
    "/usr/bin/go": "/usr/bin/go",
    "GOFLAGS=-mod=readonly": "GOFLAGS=-mod=readonly",
    "": "''",
    "a b": "'a b'",
    "it's": `'it'\\''s'`,
    "$(id)": "'$(id)'",
    "~": "'~'",
    "a\nb": "'a\nb'",
  };
  for (const [text, quoted] of Object.entries(cases)) {
    it(`writes ${JSON.stringify(text)} as ${JSON.stringify(quoted)}`, () => assert.equal(quote(text), quoted));
  }

  it("refuses what no word can hold", () => {
    assert.throws(() => quote("a\0b"), /NUL/);
    assert.throws(() => quote("\ud800"), /well-formed/);
  });

  it("makes a command line", () => assert.equal(command("rm", "--", "a b"), "rm -- 'a b'"));
});
