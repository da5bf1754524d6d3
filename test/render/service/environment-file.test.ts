import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { checkEnvironment } from "../../../src/model/service/environment";
import { environmentFile } from "../../../src/render/service/environment-file";
import { batches } from "../../support/hostile";

/** What a shell reads: systemd's rules for double quotes are the same; the suite `service` asks systemd itself. */
function read(text: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => `"$V${index}"`).join(" ");
  const script = `set -eu\n${text}\nprintf '%s\\0' ${names}`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

describe("a service's variables", () => {
  it("are read as they were given (500 values that were checked)", () => {
    let kept = 0;
    fc.assert(
      fc.property(batches(50), (values) => {
        const good = values.filter((value) => checkEnvironment("env", { A: value }).length === 0);
        kept += good.length;
        if (good.length === 0) return;
        const variables = Object.fromEntries(good.map((value, index) => [`V${index}`, value]));
        assert.deepEqual(read(environmentFile(variables), good.length), good);
      }),
      { numRuns: 10, endOnFailure: true },
    );
    assert.ok(kept > 50, `only ${kept} values got past the check`);
  });

  it("are refused where they would be another line", () => {
    assert.throws(() => environmentFile({ A: "b\nC=d" }), /control character/);
    assert.throws(() => environmentFile({ "A=b C": "d" }), /not a variable's name/);
  });
});
