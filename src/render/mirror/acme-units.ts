import type { AbsolutePath, UnitName } from "../../model/names";
import { MARKER } from "../marker";
import { KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, SERVICE_CALLS } from "../sandboxing";
import { exec, literal, text, unitFile, words } from "../unit-file";

/** What the units that renew a front's certificate are made of. */
export interface AcmeUnits {
  readonly component: string;
  readonly script: AbsolutePath;
  readonly service: UnitName;
  readonly timer: UnitName;
  readonly front: UnitName;
  /** Directories that the ACME client writes to. */
  readonly writable: readonly AbsolutePath[];
}

/** Seconds after which an ACME server that does not come to an answer is left alone. */
export const ACME_SECONDS = 180;

/** Renews in a sandbox; the last command alone, which may reload nginx, runs without. */
export function acmeService(units: AcmeUnits): string {
  const on = literal("yes");
  return unitFile(
    [
      "Unit",
      {
        Description: text(`Certificate of the module mirror ${units.component}`),
        Documentation: literal("https://eff-certbot.readthedocs.io/"),
        Wants: literal("network-online.target"),
        After: literal(`network-online.target nss-lookup.target ${units.front}`),
        // It goes with its timer when a release leaves.
        PartOf: literal(units.timer),
      },
    ],
    [
      "Service",
      {
        Type: literal("oneshot"),
        ExecStart: exec("/bin/sh", units.script, "renew"),
        ExecStartPost: literal(`+${exec("/bin/sh", units.script, "deploy")}`),
        TimeoutStartSec: literal(`${ACME_SECONDS}s`),
        UMask: literal("0077"),
        CapabilityBoundingSet: literal(""),
        AmbientCapabilities: literal(""),
        NoNewPrivileges: on,
        ProtectSystem: literal("strict"),
        ProtectHome: on,
        ReadWritePaths: words(...units.writable),
        // Settings and hooks of another certbot on this host are not ours.
        InaccessiblePaths: words("-/etc/letsencrypt"),
        ...PRIVATE_FILES,
        ...KERNEL_CLOSED,
        RestrictAddressFamilies: literal("AF_UNIX AF_INET AF_INET6"),
        ...RESTRICTED,
        LockPersonality: on,
        ...SERVICE_CALLS,
      },
    ],
  );
}

/** Looks every hour, which asks nobody anything, so that certificates of a day are renewed in time as well. */
export function acmeTimer(units: AcmeUnits): string {
  return unitFile(
    ["Unit", { Description: text(`Timer of the certificate of the module mirror ${units.component}`) }],
    [
      "Timer",
      {
        Unit: literal(units.service),
        OnCalendar: literal("hourly"),
        // ACME servers ask not to be asked by everybody at the full hour.
        RandomizedDelaySec: literal("1h"),
        FixedRandomDelay: literal("yes"),
      },
    ],
    ["Install", { WantedBy: literal("timers.target") }],
  );
}

/** Directories of a front's certificates, tmpfiles.d(5): keys and accounts are root's, the rest is public. */
export function acmeDirectories(state: AbsolutePath, client: AbsolutePath, open: readonly AbsolutePath[]): string {
  const directory = (path: AbsolutePath, mode: string) => `d ${path} ${mode} root root -`;
  return [MARKER, directory(state, "0755"), directory(client, "0700"), ...open.map((path) => directory(path, "0755"))]
    .concat("")
    .join("\n");
}
