import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
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
    throw new pulumi.RunError(
      `gofleet/provider cannot be found from the project's root, ${root}: add "gofleet" to the dependencies of the ` +
        "package.json there, beside the package that uses it (pnpm and nested packages do not share what they install)",
    );
  }
  if (found !== own && !__filename.endsWith(".ts")) {
    throw new pulumi.RunError(
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

/** Whether an engine runs the program; none does in unit tests with mocks and in `gofleet render`. */
export function hasEngine(): boolean {
  // Not `runtime.hasEngine`, which is false until something was logged, and always in an inline program.
  return pulumi.runtime.getEngine() !== undefined;
}

/**
 * Undefined where it cannot be told. An inline program is not given it: there the working directory counts if it is a
 * project's.
 */
function projectRoot(): string | undefined {
  if (!hasEngine()) return undefined;
  const root = pulumi.getRootDirectory();
  if (isAbsolute(root)) return root;
  const here = process.cwd();
  return ["Pulumi.yaml", "Pulumi.yml"].some((name) => existsSync(join(here, name))) ? here : undefined;
}
