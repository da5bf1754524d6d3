import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../test/hosts/support/commands";
import { temporaryDirectory } from "../../test/support/go";

const TIMEOUT = 60 * 60_000;

/** A module from the module proxy, with all that it needs, below a directory of its own. */
export class Project {
  private constructor(
    readonly folder: string,
    /** Number of packages that a build of it compiles itself. */
    readonly packages: number,
  ) {}

  /** The module's tree. */
  get source(): string {
    return join(this.folder, "source");
  }

  /** A module cache with everything that its build imports, and nothing else. */
  get modules(): string {
    return join(this.folder, "modules");
  }

  /** @param module `path@version` */
  static async fetch(module: string): Promise<Project> {
    const folder = temporaryDirectory();
    const said = await must("go", ["-C", "/", "mod", "download", "-json", module], { timeout: TIMEOUT });
    const { Dir } = JSON.parse(said) as { readonly Dir: string };
    const source = join(folder, "source");
    await must("cp", ["-r", Dir, source]);
    await must("chmod", ["-R", "u+w", source]);
    await must("go", ["-C", source, "mod", "download"], { timeout: TIMEOUT });
    // A module that needs no other leaves it empty.
    mkdirSync(join(folder, "modules"));
    // From here on the machine's own cache is the proxy; go.sum has the sums.
    const cache = (await must("go", ["env", "GOMODCACHE"])).trim();
    const own = [`GOPROXY=file://${cache}/cache/download`, "GONOSUMDB=*", `GOMODCACHE=${join(folder, "modules")}`];
    await must("env", [...own, "GOFLAGS=-modcacherw", "go", "-C", source, "mod", "download"], { timeout: TIMEOUT });
    const packages = (await must("go", ["-C", source, "list", "./..."])).trim().split("\n").length;
    return new Project(folder, packages);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
