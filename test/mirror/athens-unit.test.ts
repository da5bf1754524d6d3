import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolveAthens, type AthensArgs } from "../../src/model/mirror/athens";
import { athensPlan, athensTexts } from "../../src/plan/mirror/athens";
import { mirrorPlace } from "../../src/plan/mirror/place";
import { temporaryDirectory } from "../support/go";
import { skip } from "../support/skip";
import { ATHENS_CASES } from "./athens-cases";

const go = { goBinary: "/usr/local/bin/go", goRoot: "/usr/local/go" };
const place = mirrorPlace("goproxy");

/** What `systemd-analyze security` may give at most; 0 is best, 10 is worst. */
const EXPOSURE = 2.0;

function unit(args: AthensArgs): string {
  const athens = resolveAthens<string>(args);
  const { files = [] } = athensPlan(athens, place, athensTexts(athens, place, go), go);
  // `verify` wants the program to be there.
  return (files.find(({ path }) => path.endsWith(".service"))?.text ?? "").replace(
    /\/usr\/local\/lib\/[^" ]*\/bin\/athens\b/,
    "/bin/true",
  );
}

describe("Athens' unit", function () {
  let folder: string;

  before(function () {
    if (spawnSync("systemd-analyze", ["--version"]).error) skip(this, "there is no systemd-analyze");
    folder = temporaryDirectory();
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  const analyze = (text: string, ...args: string[]) => {
    const file = join(folder, place.athens.unit);
    writeFileSync(file, text);
    const env = { PATH: process.env.PATH, SYSTEMD_UNIT_PATH: `${folder}:` };
    const { status, stdout, stderr } = spawnSync("systemd-analyze", [...args, file], { encoding: "utf8", env });
    return { status, said: stdout + stderr };
  };
  const verify = (text: string) => analyze(text, "verify", "--man=no", "--recursive-errors=no");
  const exposure = (text: string) => {
    const { said } = analyze(text, "security", "--offline=yes", "--no-pager");
    return Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1] ?? NaN);
  };

  for (const [name, args] of Object.entries(ATHENS_CASES)) {
    it(`is understood whole: ${name}`, () => {
      const { status, said } = verify(unit(args));
      assert.equal(said, "");
      assert.equal(status, 0);
    });
  }

  it("would be complained about", () => {
    assert.match(verify(unit(ATHENS_CASES.disk).replace("ProtectSystem=", "ProtectSystems=")).said, /Unknown key/);
  });

  it(`is exposed to ${EXPOSURE} at most`, function () {
    const version = Number(
      /^systemd (\d+)/.exec(spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" }).stdout)?.[1],
    );
    if (version < 250) skip(this, "systemd-analyze before 250 cannot judge a file");
    for (const args of Object.values(ATHENS_CASES)) {
      const found = exposure(unit(args));
      assert.ok(found <= EXPOSURE, String(found));
    }
    assert.ok(exposure("[Service]\nExecStart=/bin/true\n") > EXPOSURE);
  });
});
