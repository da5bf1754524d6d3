import { accessSync, chmodSync, constants, renameSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The executable that the engine starts for resources of type `pulumi-nodejs:…`. */
export const LAUNCHER = "pulumi-resource-pulumi-nodejs";

/** The executable that the engine starts for a policy pack where there is no language host to run it. */
export const PACK_LAUNCHER = "pulumi-analyzer-policy-nodejs";

/** Comes with the official CLI, and runs policy packs by itself. */
const LANGUAGE_HOST = "pulumi-language-nodejs";

/** Each with the SDK's module that does the work. */
const LAUNCHERS = {
  [LAUNCHER]: "@pulumi/pulumi/cmd/dynamic-provider",
  [PACK_LAUNCHER]: "@pulumi/pulumi/cmd/run-policy-pack",
};

// The engine starts it with the project's or the pack's directory as its working directory, so the SDK is its own.
const script = (module: string) => `#!/bin/sh
program=$(node -e 'console.log(require.resolve("${module}", { paths: [process.cwd()] }))') || exit 1
exec node "$program" "$@"
`;

/** Writes what is missing into `dir`: the official CLI ships launchers, a CLI built from its Go module comes without. */
export function writeLaunchers(dir: string): void {
  for (const [name, module] of Object.entries(LAUNCHERS)) {
    const path = join(dir, name);
    if (executable(path)) continue;
    // Another run may do the same now, or start it already: it is there as a whole or not at all.
    const part = `${path}.${process.pid}`;
    writeFileSync(part, script(module));
    chmodSync(part, 0o755);
    renameSync(part, path);
  }
}

/** Whether `dir` has all of them. */
export function hasLaunchers(dir: string): boolean {
  return Object.keys(LAUNCHERS).every((name) => executable(join(dir, name)));
}

/** Whether a CLI that was installed on PATH (the official archive, or by hand) needs none of ours. */
export function launchersOnPath(path: string | undefined): boolean {
  const has = (name: string): boolean => which(name, path) !== undefined;
  return has(LAUNCHER) && (has(PACK_LAUNCHER) || has(LANGUAGE_HOST));
}

/** The first file called `name` in the directories of `path` (a PATH) that this user may execute. */
export function which(name: string, path: string | undefined): string | undefined {
  const found = (path ?? "").split(delimiter).filter((dir) => dir !== "");
  return found.map((dir) => join(dir, name)).find(executable);
}

/** Whether this user may execute `path`. */
export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
