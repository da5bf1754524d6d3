import assert from "node:assert/strict";
import { tomlFile } from "../../src/render/toml";

describe("TOML file", () => {
  it("has its keys in order, tables last, and nothing for what is not set", () => {
    const text = tomlFile({ b: 1, table: { z: true, a: { x: "y" } }, a: "x", none: undefined, list: ["p", "q"] });
    assert.equal(
      text.split("\n").slice(2).join("\n"),
      'a = "x"\nb = 1\nlist = [ "p", "q" ]\n\n[table]\nz = true\n\n[table.a]\nx = "y"\n',
    );
  });

  it("is the same for the same settings", () => {
    assert.equal(tomlFile({ a: { c: 1, b: 2 }, d: 3 }), tomlFile({ d: 3, a: { b: 2, c: 1 } }));
  });

  it("keeps text in its line", () => {
    const lines = tomlFile({ a: 'x"\n[b]\nc = 1' }).split("\n");
    assert.equal(lines[2], 'a = "x\\"\\n[b]\\nc = 1"');
  });
});
