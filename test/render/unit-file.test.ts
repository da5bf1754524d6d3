import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { environment, escapePath, exec, literal, path, text, unitFile, words } from "../../src/render/unit-file";
import { temporaryDirectory } from "../support/go";
import { assertGolden } from "../support/golden";
import { skip } from "../support/skip";
import { parsedUnit } from "../support/systemd";

describe("unit file", () => {
  const example = () =>
    unitFile(
      ["Unit", { Description: text("100% of the build cache"), Documentation: undefined }],
      [
        "Service",
        {
          Type: literal("oneshot"),
          Environment: [environment("GOFLAGS", "-mod=readonly"), environment("NOTE", 'a "b" \\ $HOME %i')],
          ExecStart: [exec("/usr/bin/true"), exec("/usr/bin/echo", "a b", "$HOME", "50%", ";", "")],
          ReadWritePaths: words("/var/cache/a b", "/srv/50%"),
          MemoryMax: literal("25%"),
        },
      ],
      ["Install", { WantedBy: literal("multi-user.target") }],
    );

  it("is written section by section", () => assertGolden("unit/example.service", example()));

  it("is what systemd reads", function () {
    if (spawnSync("systemd-analyze", ["--version"]).error) skip(this, "there is no systemd-analyze");
    const folder = temporaryDirectory();
    try {
      const { description, commands, complaints } = parsedUnit(folder, example());
      assert.equal(description, "100% of the build cache");
      assert.deepEqual(commands, [["/usr/bin/true"], ["/usr/bin/echo", "a b", "$HOME", "50%", ";", ""]]);
      assert.deepEqual(complaints, []);
      assert.notDeepEqual(parsedUnit(folder, `${example()}Nonsense`).complaints, []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is a mount unit", () => {
    assertGolden(
      "unit/var-cache-go\\x2dbuild.mount",
      unitFile(["Mount", { What: literal("tmpfs"), Where: path("/var/cache/go-build"), Type: literal("tmpfs") }]),
    );
  });

  const names: Record<string, string> = {
    "/var/cache/go-build": "var-cache-go\\x2dbuild",
    "/": "-",
    "//a//b/": "a-b",
    "/.hidden": "\\x2ehidden",
    "/srv/50%": "srv-50\\x25",
    "/é": "\\xc3\\xa9",
  };
  for (const [given, name] of Object.entries(names)) {
    it(`names ${given} ${name}`, () => assert.equal(escapePath(given as `/${string}`), name));
  }

  const refused: Record<string, () => unknown> = {
    "a second line": () => text("a\nUser=root"),
    "a continued line": () => text("a\\"),
    "space that systemd would strip": () => literal(" a"),
    "a prefix before the program": () => exec("-/bin/sh"),
    "a full-privileges prefix": () => exec("+/bin/sh"),
    "a program with a variable": () => exec("/bin/$SHELL"),
    "a program with arguments": () => exec("/bin/sh -c id"),
    "a program with a noncharacter": () => exec("/bin/\uffff"),
    "a variable's name with =": () => environment("A=B", "c"),
    "a control character in a variable": () => environment("A", "\u001b[0m"),
    "a NUL in an argument": () => exec("/bin/echo", "\0"),
  };
  for (const [name, make] of Object.entries(refused)) {
    it(`refuses ${name}`, () => assert.throws(make));
  }

  it("takes only text that was escaped", () => {
    // @ts-expect-error a plain string has not been through an escape
    assert.ok(unitFile(["Unit", { Description: "plain" }]));
  });
});
