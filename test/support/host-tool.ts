import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Context } from "mocha";
import { skip } from "./skip";

/**
 * Formats, vets and tests a Go program of `hosttools/`, without a network. Ends as skipped, naming them, if tests of
 * the program were skipped.
 * @param flags of `go test`
 */
export function passesItsOwnTests(context: Context, name: string, flags: readonly string[] = []): void {
  const cwd = join(__dirname, "..", "..", "hosttools", name);
  const env = { ...process.env, GOFLAGS: "", GOPROXY: "off", GOWORK: "off", GOTOOLCHAIN: "local" };
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8", maxBuffer: 2 ** 26 });
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  };
  assert.equal(run("gofmt", "-l", "."), "");
  run("go", "vet", "./...");
  const said = run("go", "test", "-v", ...flags, "./...");
  const skipped = [...said.matchAll(/--- SKIP: (\S+)/g)].map(([, test]) => test);
  if (skipped.length > 0) skip(context, `skipped in hosttools/${name}: ${skipped.join(", ")}; run go test -v there`);
}
