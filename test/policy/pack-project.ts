import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { REPOSITORY } from "../support/engine/project";

// What the engine starts for a pack where no language host is at hand. The official CLI brings the language host; one
// that was built from its Go module comes without either.
const LAUNCHER = `#!/bin/sh
host=$(node -e 'console.log(require.resolve("@pulumi/pulumi/cmd/run-policy-pack", { paths: [process.cwd()] }))') || exit 1
exec node "$host" "$@"
`;

/** The example's policy pack, installed in a directory of its own. */
export class PackProject {
  readonly directory = mkdtempSync(join(tmpdir(), "gofleet-pack-"));
  /** The pack, for `--policy-pack`. */
  readonly pack = join(this.directory, "pack");

  constructor() {
    cpSync(join(REPOSITORY, "examples/policy"), this.pack, { recursive: true });
    const modules = join(this.pack, "node_modules");
    mkdirSync(modules, { recursive: true });
    symlinkSync(REPOSITORY, join(modules, "gofleet"));
    symlinkSync(join(REPOSITORY, "node_modules/@pulumi"), join(modules, "@pulumi"));
    mkdirSync(join(this.directory, "bin"));
    const launcher = join(this.directory, "bin/pulumi-analyzer-policy-nodejs");
    writeFileSync(launcher, LAUNCHER);
    chmodSync(launcher, 0o755);
  }

  /** A PATH on which the engine finds what runs the pack. */
  path(rest = ""): string {
    return `${join(this.directory, "bin")}${delimiter}${rest}`;
  }

  /** A file for `--policy-pack-config`. */
  config(name: string, config: object): string {
    const path = join(this.directory, `${name}.json`);
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
