import assert from "node:assert/strict";
import fc from "fast-check";
import { resolveAthens, type AthensArgs } from "../../../src/model/mirror/athens";
import { checkAthens } from "../../../src/model/mirror/athens-check";
import { describe as text } from "../../../src/model/issues";
import { athensTexts } from "../../../src/plan/mirror/athens";
import { mirrorPlace } from "../../../src/plan/mirror/place";
import { athensEnvironment, athensSecrets } from "../../../src/render/mirror/athens-environment";
import { ATHENS_CASES } from "../../mirror/athens-cases";
import { assertGolden } from "../../support/golden";
import { hostile } from "../../support/hostile";
import { spawnSync } from "node:child_process";

const place = mirrorPlace("goproxy");
const around = {
  goBinary: "/usr/local/lib/gofleet/goproxy/go1.26.8/bin/go",
  privateModules: ["git.corp.example/*"],
  noSumPatterns: ["git.corp.example/*", "git.corp.example/*@*"],
};
const texts = (args: AthensArgs) => athensTexts(resolveAthens<string>(args), place, around);
const cases: [string, AthensArgs][] = Object.entries(ATHENS_CASES);

describe("athens.toml", () => {
  for (const [name, args] of cases) {
    it(`is as written down: ${name}`, () => {
      assert.equal(text(checkAthens("", args, { hosts: 1 })), "");
      const { config, downloadMode } = texts(args);
      assertGolden(`mirror/athens/${name}/athens.toml`, config);
      assertGolden(`mirror/athens/${name}/download-mode.hcl`, downloadMode);
    });

    it(`holds no secret: ${name}`, () => {
      const rendered = Object.values(texts(args)).join("\n");
      assert.doesNotMatch(rendered, /h4nter2|aDRudGVyMid/);
    });
  }

  it("is the same whatever the order of its settings", () => {
    const { storage, ...rest } = ATHENS_CASES.s3;
    const turned = Object.fromEntries(Object.entries({ ...rest, storage }).reverse()) as unknown as AthensArgs;
    assert.equal(texts(turned).config, texts(ATHENS_CASES.s3).config);
  });

  it("tells go what Athens does not", () => {
    const { config } = texts(ATHENS_CASES.disk);
    for (const setting of [
      "GOTOOLCHAIN=local",
      "GIT_TERMINAL_PROMPT=0",
      "GOENV=off",
      "GOPROXY=https://",
      "GIT_SSH_COMMAND=ssh ",
    ]) {
      assert.ok(config.includes(`"${setting}`), setting);
    }
    assert.match(config, /StrictHostKeyChecking=yes/);
    assert.doesNotMatch(texts(ATHENS_CASES.memory).config, /GIT_SSH_COMMAND/);
  });
});

describe("athens.env", () => {
  it("has every secret variable", () => {
    const name = (args: AthensArgs) =>
      (athensSecrets(resolveAthens<string>(args))["athens.env"] ?? "").replace(/=.*/gs, "");
    assert.deepEqual(name(ATHENS_CASES.gcp), "ATHENS_GITHUB_TOKEN");
    assert.equal(athensSecrets(resolveAthens<string>(ATHENS_CASES.memory))["athens.env"], undefined);
    assertGolden(
      "mirror/athens/s3/athens.env",
      athensSecrets(resolveAthens<string>(ATHENS_CASES.s3))["athens.env"] ?? "",
    );
  });

  it("means exactly its values to sh", () => {
    const writable = hostile.filter((value) => !/[\0\p{Cs}]/u.test(value));
    fc.assert(
      fc.property(fc.array(writable, { minLength: 20, maxLength: 20 }), (values) => {
        const variables = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
        const script = 'set -a && eval "$1" && exec "$2" -e "$3"';
        const print =
          "process.stdout.write(JSON.stringify(Object.entries(process.env).filter(([k]) => /^V\\d/.test(k))))";
        const { stdout } = spawnSync(
          "sh",
          ["-c", script, "sh", athensEnvironment(variables), process.execPath, print],
          {
            encoding: "utf8",
            env: { PATH: process.env.PATH },
          },
        );
        assert.deepEqual(Object.fromEntries(JSON.parse(stdout) as [string, string][]), variables);
      }),
      { numRuns: 10 },
    );
  });

  it("is no place for other names", () =>
    assert.throws(() => athensEnvironment({ "A B": "" }), /not a variable's name/));
});
