import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Context } from "mocha";
import { temporaryDirectory } from "../../support/go";
import { skip } from "../../support/skip";

/** What shellcheck says of a script: nothing is good. */
export function shellcheck(context: Context, script: string): string {
  const { stdout, error } = spawnSync("shellcheck", ["--shell=sh", "-"], { input: script, encoding: "utf8" });
  if (error) skip(context, "there is no shellcheck");
  return stdout;
}

/** Unit files must be good, whether or not the programs that they name are on this machine. */
export function assertSystemdTakes(
  context: Context,
  units: readonly { readonly path: string; readonly text: string }[],
): void {
  const root = temporaryDirectory();
  try {
    for (const { path, text } of units) {
      for (const program of text.matchAll(/^Exec[A-Za-z]+=[+-]?(\/[^\s"]+)/gm))
        put(root, program[1] ?? "", "#!/bin/sh\n", 0o755);
      put(root, path, text);
    }
    for (const target of ["sysinit", "basic", "network-online", "multi-user", "timers", "shutdown", "local-fs"]) {
      put(root, `/etc/systemd/system/${target}.target`, "[Unit]\nDefaultDependencies=no\n");
    }
    const paths = units.map(({ path }) => join(root, path));
    const { status, stderr, error } = spawnSync("systemd-analyze", ["verify", "--man=no", `--root=${root}`, ...paths], {
      encoding: "utf8",
    });
    if (error) skip(context, "there is no systemd-analyze");
    const complaints = stderr
      .split("\n")
      .filter((line) => line !== "" && !/Failed to (prepare|load).*sysinit/.test(line));
    assert.deepEqual(complaints, []);
    assert.equal(status, 0);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function put(root: string, path: string, text: string, mode = 0o644): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}
