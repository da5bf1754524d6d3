import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

let checked: string | undefined;

/**
 * The engine's provider process finds `gofleet/provider` from the project's root. Where that is another copy than the
 * one this program loaded, or none, the run would fail later and say less; so it is resolved the same way here first.
 */
export function requireProvider(root = projectRoot()): void {
  if (root === undefined || root === checked) return;
  const own = realpathSync(join(__dirname, "..", "host", __filename.endsWith(".ts") ? "provider.ts" : "provider.js"));
  const found = resolveFrom(root);
  if (found === undefined) {
    throw new Error(
      `gofleet/provider cannot be found from the project's root, ${root}: add "gofleet" to the dependencies of the ` +
        "package.json there, beside the package that uses it (pnpm and nested packages do not share what they install)",
    );
  }
  if (found !== own && !__filename.endsWith(".ts")) {
    throw new Error(
      `the project's root, ${root}, finds another copy of gofleet (${found}) than the program loaded (${own}): ` +
        "install one version for both, for example by `npm dedupe`, or by the same range in both package.json files",
    );
  }
  checked = root;
}

function resolveFrom(root: string): string | undefined {
  try {
    return realpathSync(createRequire(join(root, "package.json")).resolve("gofleet/provider"));
  } catch {
    return undefined;
  }
}

/** Undefined where no engine runs the program: unit tests with mocks, `gofleet render`. */
function projectRoot(): string | undefined {
  if (!pulumi.runtime.hasEngine()) return undefined;
  try {
    return pulumi.getRootDirectory() || process.cwd();
  } catch {
    return process.cwd();
  }
}
