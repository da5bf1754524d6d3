import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../test/hosts/support/commands";
import { seconds } from "../support";

const SOURCE = join(__dirname, "..", "..", "hosttools", "sandbox");
const TIMEOUT = 15 * 60_000;

/** What of `gofleet-cache`'s report is measured. */
interface Report {
  readonly scan?: { readonly readBytes: number };
  readonly persist?: { readonly bytes: number };
  readonly restore?: { readonly bytes: number };
}

/** `gofleet-cache`, as it is built on hosts. */
export class CacheTool {
  private constructor(private readonly program: string) {}

  static async build(folder: string): Promise<CacheTool> {
    const built = join(folder, "gofleet-sandbox");
    const program = join(folder, "gofleet-cache");
    await must("go", ["-C", SOURCE, "build", "-buildvcs=false", "-trimpath", "-o", built, "."], { timeout: TIMEOUT });
    symlinkSync(built, program);
    return new CacheTool(program);
  }

  /** The whole command's time: reading the cache's directories and syncing the disk are part of it. */
  async run(verb: string, flags: readonly string[], cache: string, ...rest: readonly string[]) {
    let said = "";
    const time = await seconds(async () => {
      said = await must(this.program, [verb, "-json", "-cache", cache, ...flags, ...rest], { timeout: TIMEOUT });
    });
    return { seconds: time, report: JSON.parse(said) as Report };
  }
}
