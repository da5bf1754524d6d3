import type { AbsolutePath, UnitName } from "../../model/names";
import { escapePath, literal, path, text, unitFile } from "../unit-file";

/** A build cache in memory. */
export interface CacheMount {
  readonly component: string;
  readonly path: AbsolutePath;
  /** Who may use it, alone (`mode` 0700) or with its group. */
  readonly user: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly sizeBytes: number;
}

/** The name that systemd wants a mount's unit to have. */
export function mountUnitName(where: AbsolutePath): UnitName {
  return `${escapePath(where)}.mount`;
}

/**
 * A tmpfs of the right size and owner. What is built may be executed from it, as Go does; nothing in it is a device or
 * runs as somebody else. Its pages count as memory of the slot that wrote them.
 */
export function cacheMount({ component, path: where, user, group, mode, sizeBytes }: CacheMount): string {
  const options = [`uid=${user}`, `gid=${group}`, `mode=${mode}`, `size=${sizeBytes}`, "nosuid", "nodev", "noatime"];
  return unitFile(
    ["Unit", { Description: text(`Build cache of ${component} in memory`) }],
    [
      "Mount",
      {
        What: literal("tmpfs"),
        Where: path(where),
        Type: literal("tmpfs"),
        Options: text(options.join(",")),
      },
    ],
  );
}
