import type { AbsolutePath } from "../../model/names";
import { ASKS_FOR_OTHERS } from "../../model/sandbox/directives";
import { MARKER } from "../marker";
import { literal, text, type UnitSection, type UnitText } from "../unit-file";

/** resolv.conf(5). Without a name server the C library asks 127.0.0.1, which the firewall refuses at once. */
export function resolvConf(resolver: string | undefined): string {
  return `${[MARKER, ...(resolver === undefined ? [] : [`nameserver ${resolver}`])].join("\n")}\n`;
}

/**
 * `BindReadOnlyPaths=` by which a unit's processes ask the sandbox's resolver and not the host's. systemd follows the link
 * that `/etc/resolv.conf` often is, and takes the file that the path leads to when a process starts.
 */
export function resolvConfBind(file: AbsolutePath): UnitText {
  return literal(`-${text(file)}:/etc/resolv.conf`);
}

/** How a service of the host looks names up as jobs do: nor may the host's resolver be asked by another way. */
export function namesAsJobs(file: AbsolutePath): UnitSection[1] {
  return { BindReadOnlyPaths: resolvConfBind(file), InaccessiblePaths: literal(ASKS_FOR_OTHERS) };
}
