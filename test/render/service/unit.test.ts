import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { checkWords } from "../../../src/model/service/words";
import { unitOf } from "../../plan/service/parts";
import { temporaryDirectory } from "../../support/go";
import { batches } from "../../support/hostile";
import { skip } from "../../support/skip";
import { parsedUnit } from "../../support/systemd";

const health = { get: "http://127.0.0.1:7070/healthz" };

/** The service's words as systemd hands them over: its own reading of the line that starts them. */
function startOf(folder: string, exec: readonly [string, ...string[]], more: Parameters<typeof unitOf>[0] = {}) {
  const line = unitOf({ exec, ...more })
    .split("\n")
    .find((each) => each.startsWith("ExecStart="));
  const { commands, complaints } = parsedUnit(folder, `[Service]\n${line}\n`);
  assert.deepEqual(complaints, []);
  return commands[0] ?? [];
}

describe("the unit of a service", () => {
  let folder: string;
  before(function () {
    if (spawnSync("systemd-analyze", ["--version"]).error) skip(this, "there is no systemd-analyze");
    folder = temporaryDirectory();
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  it("hands over the service's words as they were given (500 arguments that were checked, read by systemd)", () => {
    let kept = 0;
    fc.assert(
      fc.property(batches(50), (values) => {
        const good = values.filter((value) => value !== "" && checkWords("x", ["x", value]).length === 0);
        kept += good.length;
        assert.deepEqual(startOf(folder, ["buildcached", ...good]).slice(1), good);
      }),
      { numRuns: 10, endOnFailure: true },
    );
    assert.ok(kept > 50, `only ${kept} arguments got past the check`);
  });

  it("hands them over unchanged behind the prober's script, too", () => {
    const given = ["%i", "$HOME", "a b", '"', "\\", "{notaplace}"];
    const [shell, script, program, ...rest] = startOf(folder, ["buildcached", ...given], { health });
    assert.deepEqual([shell, script], ["/bin/sh", "/etc/gofleet/cache/notify"]);
    assert.match(program ?? "", /^\/usr\/local\/lib\/gofleet\/cache\/buildcached-[0-9a-f]{12}\/buildcached$/);
    assert.deepEqual(rest, given);
  });

  it("puts the service's directories in place of their names", () => {
    const directories = { state: true, cache: true, logs: true, runtime: true };
    const more = { directories, files: { a: "" }, secrets: { b: "" } };
    const places = ["{state}/a", "--x={cache}", "{logs}", "{runtime}", "{files}/a", "{credentials}/b"] as const;
    assert.deepEqual(startOf(folder, ["buildcached", ...places], more).slice(1), [
      "/var/lib/gofleet-cache/a",
      "--x=/var/cache/gofleet-cache",
      "/var/log/gofleet-cache",
      "/run/gofleet-cache",
      "/etc/gofleet/cache/files/a",
      "/run/credentials/gofleet-cache.service/b",
    ]);
  });
});
