import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The checkout under test. */
export const REPOSITORY = join(__dirname, "..", "..", "..");

/** The module that a stub package puts in place of `gofleet/provider`. */
export interface StubPackage {
  /** Text of a CommonJS module that exports `provider`. */
  readonly provider: string;
}

/**
 * Makes a project directory whose `require("gofleet/provider")` and `require("@pulumi/pulumi")` resolve, as they do
 * for a user's program: to this checkout's build and SDK, or to a stub package.
 */
export function makeProject(stub?: StubPackage): string {
  const dir = mkdtempSync(join(tmpdir(), "gofleet-engine-"));
  const modules = join(dir, "node_modules");
  mkdirSync(modules);
  symlinkSync(
    dirname(require.resolve("@pulumi/pulumi/package.json")).replace(/\/pulumi$/, ""),
    join(modules, "@pulumi"),
  );
  if (stub) {
    mkdirSync(join(modules, "gofleet"));
    const manifest = { name: "gofleet", version: "0.0.0", exports: { "./provider": "./provider.js" } };
    writeFileSync(join(modules, "gofleet", "package.json"), JSON.stringify(manifest));
    writeFileSync(join(modules, "gofleet", "provider.js"), stub.provider);
  } else {
    symlinkSync(REPOSITORY, join(modules, "gofleet"));
  }
  return dir;
}
