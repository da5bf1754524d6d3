import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../support/engine/project";

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
