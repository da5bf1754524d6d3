import type { AbsolutePath } from "../../model/names";
import { FIXED_CODE, PRIVATE_FILES, RESTRICTED, SERVICE_CALLS } from "../sandboxing";
import { exec, literal, text, unitFile } from "../unit-file";

/** What {@link apparmorService} is made of. */
export interface ApparmorUnit {
  readonly component: string;
  /** By `apparmorScript`. */
  readonly script: AbsolutePath;
}

/**
 * Loads the slots' profiles, and fails where nothing would enforce them: systemd itself takes no notice of a profile in
 * a kernel without AppArmor. Slots require it.
 */
export function apparmorService({ component, script }: ApparmorUnit): string {
  return unitFile(
    [
      "Unit",
      {
        Description: text(`AppArmor profiles of ${component}`),
        // The distribution's service loads the same file, from a cache.
        After: literal("apparmor.service sys-kernel-security.mount"),
      },
    ],
    [
      "Service",
      {
        Type: literal("oneshot"),
        RemainAfterExit: literal("yes"),
        ExecStart: exec("/bin/sh", script, "load"),
        ExecReload: exec("/bin/sh", script, "load"),
        ExecStop: exec("/bin/sh", script, "unload"),
        CapabilityBoundingSet: literal("CAP_MAC_ADMIN"),
        NoNewPrivileges: literal("yes"),
        ProtectSystem: literal("strict"),
        ReadWritePaths: literal("-/var/cache/apparmor"),
        ProtectHome: literal("yes"),
        PrivateNetwork: literal("yes"),
        RestrictAddressFamilies: literal("AF_UNIX"),
        ...FIXED_CODE,
        ...PRIVATE_FILES,
        ...RESTRICTED,
        ...SERVICE_CALLS,
      },
    ],
    ["Install", { WantedBy: literal("multi-user.target") }],
  );
}
