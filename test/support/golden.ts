import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = join(__dirname, "..", "golden");

/**
 * Compares a rendered text with `test/golden/<name>`. `UPDATE_GOLDEN=1` writes the file instead, for a person to read
 * in the diff; never in CI, where nobody would.
 */
export function assertGolden(name: string, actual: string): void {
  const file = join(FOLDER, name);
  if (process.env.UPDATE_GOLDEN === "1") {
    assert.ok(!process.env.CI, "UPDATE_GOLDEN=1 is not for CI");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  assert.equal(actual, read(file), `${name} differs; UPDATE_GOLDEN=1 rewrites it`);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    assert.fail(`${file} is missing; UPDATE_GOLDEN=1 writes it`);
  }
}
