import assert from "node:assert/strict";
import { downloadModeFile, hclString } from "../../../src/render/mirror/download-mode";

describe("download mode file", () => {
  it("keeps the order of its rules", () => {
    const text = downloadModeFile({
      mode: "none",
      url: "",
      rules: [
        { modules: "b.example/*", mode: "sync" },
        { modules: "a.example", mode: "redirect", url: "https://a.example" },
      ],
    });
    assert.ok(text.indexOf("b.example") < text.indexOf("a.example"), text);
    assert.match(text, /download "a\.example" \{\n {2}mode = "redirect"\n {2}downloadURL = "https:\/\/a\.example"\n\}/);
  });

  it("escapes what would end or begin something", () => {
    assert.equal(hclString('a"b\\c\n${d}%{e}$f'), '"a\\"b\\\\c\\u000a$${d}%%{e}$f"');
    assert.throws(() => hclString("\ud800"), /well-formed/);
  });

  it("takes nothing but a pattern as a label", () => {
    const rules = [{ modules: 'a" {}\nmode = "sync', mode: "none" as const }];
    assert.throws(() => downloadModeFile({ mode: "sync", url: "", rules }), /not a module path pattern/);
  });
});
