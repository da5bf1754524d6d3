import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FIXED_CODE, KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, SERVICE_CALLS } from "../../src/render/sandboxing";

const GOLDEN = join(__dirname, "../golden");

/** What a unit must decide for itself, besides the shared groups. */
const OWN = [
  "CapabilityBoundingSet",
  "NoNewPrivileges",
  "ProtectHome",
  "ProtectSystem",
  "RemoveIPC",
  "RestrictAddressFamilies",
];

/** What a unit does without on purpose: the end of its file's name, and the directives. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // certbot is a Python program, whose libffi makes code while it runs; and it runs as root, of whom nothing is removed.
  "-acme.service": ["MemoryDenyWriteExecute", "RemoveIPC"],
};

/** Directives of the list that a unit does not have. */
function missing(unit: string): string[] {
  const groups = { ...FIXED_CODE, ...KERNEL_CLOSED, ...PRIVATE_FILES, ...RESTRICTED, ...SERVICE_CALLS };
  const has = new Set(unit.split("\n").map((line) => line.split("=")[0]));
  return [...Object.keys(groups), ...OWN].filter((directive) => !has.has(directive)).sort();
}

/** Services of the golden files that run all the time or by a timer, by path. */
function services(): Map<string, string> {
  const found = readdirSync(GOLDEN, { recursive: true, encoding: "utf8" })
    .filter((path) => /^(mirror|nginx)\/.*\.service$/.test(path) && !path.includes("renewal"))
    .map((path): [string, string] => [path, readFileSync(join(GOLDEN, path), "utf8")]);
  return new Map(found);
}

describe("sandboxing of services", () => {
  it("leaves out nothing in any unit", () => {
    const all = services();
    assert.ok(all.size >= 6, `golden services: ${[...all.keys()].join(", ")}`);
    for (const [path, unit] of all) {
      const [, without = []] = Object.entries(EXCEPTIONS).find(([end]) => path.endsWith(end)) ?? [];
      assert.deepEqual(missing(unit), without, path);
    }
  });

  it("is missed where a unit forgets a group or a setting of its own", () => {
    const [unit = ""] = services().values();
    assert.deepEqual(missing(unit.replace(/^ProtectClock=.*\n/m, "").replace(/^ProtectHome=.*\n/m, "")), [
      "ProtectClock",
      "ProtectHome",
    ]);
  });
});
