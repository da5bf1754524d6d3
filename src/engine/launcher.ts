import { accessSync, chmodSync, constants, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The executable that the engine starts for resources of type `pulumi-nodejs:…`. */
export const LAUNCHER = "pulumi-resource-pulumi-nodejs";

// The engine starts it with the project directory as its working directory, so the SDK is the project's own.
const SCRIPT = `#!/bin/sh
provider=$(node -e 'console.log(require.resolve("@pulumi/pulumi/cmd/dynamic-provider", { paths: [process.cwd()] }))') || exit 1
exec node "$provider" "$@"
`;

/** Writes the launcher into `dir`: the official CLI ships one, a CLI built from its Go module comes without. */
export function writeLauncher(dir: string): void {
  const path = join(dir, LAUNCHER);
  writeFileSync(path, SCRIPT);
  chmodSync(path, 0o755);
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
