import { rmSync } from "node:fs";
import { must } from "../../test/hosts/support/commands";
import { temporaryDirectory } from "../../test/support/go";
import type { AbsolutePath } from "../../src/model/names";
import { cacheMount } from "../../src/render/sandbox/cache-units";

/** A cache in memory, mounted as a sandbox's mount unit says. */
export class TmpfsCache {
  private constructor(readonly path: string) {}

  static async mount(sizeBytes: number): Promise<TmpfsCache> {
    const path = temporaryDirectory() as AbsolutePath;
    const unit = cacheMount({ component: "bench", path, user: "root", group: "root", mode: "0700", sizeBytes });
    const [, options] = /^Options=(.*)$/m.exec(unit) ?? [];
    if (options === undefined) throw new Error(`the mount unit has no options:\n${unit}`);
    await must("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
    return new TmpfsCache(path);
  }

  async unmount(): Promise<void> {
    await must("umount", [this.path]);
    rmSync(this.path, { recursive: true });
  }
}
