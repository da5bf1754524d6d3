import type { AbsolutePath, UnitName } from "../../model/names";
import { FIXED_CODE, KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, UNPRIVILEGED_CALLS } from "../sandboxing";
import { exec, literal, path, text, unitFile, words, type UnitSection } from "../unit-file";

/** What the units of a store's keeper are made of. */
export interface StoreUnits {
  readonly component: string;
  readonly user: string;
  readonly program: AbsolutePath;
  readonly config: AbsolutePath;
  readonly service: UnitName;
  /** Directories it writes to; nothing else is writable for it. */
  readonly writable: readonly AbsolutePath[];
  readonly store: AbsolutePath;
  /** Seconds from the end of one run to the next. */
  readonly every: number;
  /** Tiers are asked over the network; without any, unix sockets are all it can open. */
  readonly network: boolean;
}

/**
 * One run of the keeper, as the store's own user. It cannot restart or reload anything: it leaves a mark, and the last
 * command, which alone runs as root, does for a mark what the configuration says, whatever became of the run.
 */
export function storeService(units: StoreUnits): string {
  const sections: readonly UnitSection[] = [
    ["Unit", { Description: text(`Module store of ${units.component}`), RequiresMountsFor: path(units.store) }],
    [
      "Service",
      {
        Type: literal("oneshot"),
        User: literal(units.user),
        Group: literal(units.user),
        ExecStart: exec(units.program, "run", "-config", units.config),
        ExecStopPost: literal(`+${exec(units.program, "apply", "-config", units.config)}`),
        TimeoutStartSec: literal("1h"),
        UMask: literal("0027"),
        // It runs every few seconds: what it did is said, that it ran is not.
        SyslogLevel: literal("notice"),
        LogLevelMax: literal("notice"),
        Nice: literal("10"),
        IOSchedulingClass: literal("best-effort"),
        IOSchedulingPriority: literal("7"),
        ReadWritePaths: words(...units.writable),
        // A store below /home can be written by naming it, where homes are read-only and not hidden.
        ProtectHome: literal(/^\/(home|root|run\/user)\//.test(units.store) ? "read-only" : "yes"),
        ...sandbox(units.network),
      },
    ],
  ];
  return unitFile(...sections);
}

export function storeTimer(units: StoreUnits): string {
  return unitFile(
    ["Unit", { Description: text(`Timer of the module store of ${units.component}`) }],
    [
      "Timer",
      {
        Unit: literal(units.service),
        OnActiveSec: literal("1s"),
        OnUnitInactiveSec: literal(`${units.every}s`),
        AccuracySec: literal("1s"),
      },
    ],
    ["Install", { WantedBy: literal("timers.target") }],
  );
}

/** Everything that a program which reads and renames files does without. See systemd.exec(5). */
function sandbox(network: boolean): UnitSection[1] {
  const on = literal("yes");
  return {
    CapabilityBoundingSet: literal(""),
    AmbientCapabilities: literal(""),
    NoNewPrivileges: on,
    ProtectSystem: literal("strict"),
    ...PRIVATE_FILES,
    PrivateUsers: on,
    ...(network ? {} : { PrivateNetwork: on }),
    ...KERNEL_CLOSED,
    RestrictAddressFamilies: literal(network ? "AF_UNIX AF_INET AF_INET6" : "AF_UNIX"),
    ...RESTRICTED,
    RemoveIPC: on,
    ...FIXED_CODE,
    ...UNPRIVILEGED_CALLS,
  };
}
