import { rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../test/hosts/support/commands";
import { temporaryDirectory } from "../../test/support/go";

const TIMEOUT = 60 * 60_000;

/** What a build cost. */
export interface Spent {
  /** User and system time of the go command and all that it started. */
  readonly cpuSeconds: number;
}

/** A module from the module proxy, with all that it needs. */
export class Project {
  private constructor(
    readonly folder: string,
    private readonly source: string,
    readonly packages: number,
  ) {}

  /** @param module `path@version` */
  static async fetch(module: string): Promise<Project> {
    const folder = temporaryDirectory();
    const said = await must("go", ["-C", "/", "mod", "download", "-json", module], { timeout: TIMEOUT });
    const { Dir } = JSON.parse(said) as { readonly Dir: string };
    const source = join(folder, "source");
    await must("cp", ["-r", Dir, source]);
    await must("chmod", ["-R", "u+w", source]);
    await must("go", ["-C", source, "mod", "download"], { timeout: TIMEOUT });
    const packages = (await must("go", ["-C", source, "list", "./..."])).trim().split("\n").length;
    return new Project(folder, source, packages);
  }

  /** Builds all packages, and builds and starts all their tests, without running any: some need a network. */
  async build(cache: string): Promise<Spent> {
    const script = `go build ./... && go test -count=1 -run '^$' ./... >/dev/null && times`;
    const environment = [`GOCACHE=${cache}`, "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local", "GOWORK=off"];
    const args = ["-C", this.source, ...environment, "sh", "-ec", script];
    const said = await must("env", args, { timeout: TIMEOUT });
    // The second line of `times` is about what the shell started: user and system time.
    const [, children = ""] = said.trim().split("\n").slice(-2);
    const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
    if (parts.length !== 2) throw new Error(`sh's times said ${JSON.stringify(said)}`);
    const cpuSeconds = parts.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
    return { cpuSeconds };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
