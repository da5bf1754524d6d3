import type { AbsolutePath, UnitName } from "../../model/names";
import { namesAsJobs } from "./name-lookups";
import { FIXED_CODE, KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, SERVICE_CALLS } from "../sandboxing";
import { exec, literal, optionalWords, text, unitFile, words, type UnitSection, type UnitText } from "../unit-file";

/** A service that keeps something of a sandbox, with no more rights than it needs for that. */
export interface KeeperUnit {
  /** What people read in lists of units: `Watermarks of ci`. */
  readonly description: string;
  /** What counts its memory and time. Default: the system's. */
  readonly slice?: UnitName;
  /** Undefined: root, with only these capabilities. */
  readonly user?: string;
  /** Such as `CAP_NET_ADMIN`. */
  readonly capabilities?: readonly string[];
  /** Command lines, in order; the last one is the service's own. */
  readonly start: readonly (readonly [string, ...string[]])[];
  readonly stop?: readonly (readonly [string, ...string[]])[];
  /** True: it counts as active until it is stopped. False: each start is one run. "running": it never ends by itself. */
  readonly stays: boolean | "running";
  /** Directories it writes, where they are there; nothing else is writable for it. */
  readonly writable: readonly AbsolutePath[];
  /** Directories that must be mounted first. */
  readonly mounts?: readonly AbsolutePath[];
  /** Address families. Default: unix sockets. */
  readonly families?: string;
  /** The `/etc/resolv.conf` of what looks names up as jobs do. Default: the host's. */
  readonly resolvConf?: AbsolutePath;
  /** Exit codes besides 0 that are no failure. */
  readonly succeeds?: readonly number[];
  /** Units that come first. */
  readonly after?: readonly string[];
  /** True: at most half a processor, and disks after others. It holds locks, so it must go on. */
  readonly gentle?: boolean;
  /** Longest time of a start, and of a stop, as systemd.time(7) spells it. */
  readonly within: string;
}

export function keeperUnit(unit: KeeperUnit): string {
  const { after = [], mounts = [], user, capabilities = [], stop = [], succeeds = [] } = unit;
  return unitFile(
    [
      "Unit",
      {
        Description: text(unit.description),
        After: after.length === 0 ? undefined : literal(after.join(" ")),
        RequiresMountsFor: mounts.length === 0 ? undefined : words(...mounts),
      },
    ],
    [
      "Service",
      {
        Type: literal(unit.stays === "running" ? "exec" : "oneshot"),
        RemainAfterExit: unit.stays === true ? literal("yes") : undefined,
        Slice: unit.slice === undefined ? undefined : literal(unit.slice),
        User: user === undefined ? undefined : literal(user),
        ExecStart: unit.start.map(line),
        ExecStop: stop.map(line),
        Restart: unit.stays === "running" ? literal("always") : undefined,
        RestartSec: unit.stays === "running" ? literal("2s") : undefined,
        SuccessExitStatus: succeeds.length === 0 ? undefined : literal(succeeds.join(" ")),
        TimeoutStartSec: literal(unit.within),
        TimeoutStopSec: literal(unit.within),
        UMask: literal("0022"),
        // It runs again and again: what it did is said, that it ran is not.
        LogLevelMax: unit.stays ? undefined : literal("notice"),
        SyslogLevel: unit.stays ? undefined : literal("notice"),
        Nice: unit.stays ? undefined : literal("10"),
        CPUQuota: unit.gentle ? literal("50%") : undefined,
        IOSchedulingClass: unit.gentle ? literal("best-effort") : undefined,
        IOSchedulingPriority: unit.gentle ? literal("7") : undefined,
        ReadWritePaths: unit.writable.length === 0 ? undefined : optionalWords(...unit.writable),
        ...(unit.resolvConf === undefined ? {} : namesAsJobs(unit.resolvConf)),
        ...hardening(capabilities, unit.families ?? "AF_UNIX"),
      },
    ],
  );
}

/** A timer that starts a keeper's runs: a while after the host, or the timer, has started, and again after each run. */
export function keeperTimer(description: string, unit: UnitName, seconds: number, first = 1): string {
  return unitFile(
    ["Unit", { Description: text(description) }],
    [
      "Timer",
      {
        Unit: literal(unit),
        OnActiveSec: literal(`${first}s`),
        OnUnitInactiveSec: literal(`${seconds}s`),
        AccuracySec: literal("1s"),
      },
    ],
    ["Install", { WantedBy: literal("timers.target") }],
  );
}

function line([program, ...rest]: readonly [string, ...string[]]): UnitText {
  return exec(program, ...rest);
}

function hardening(capabilities: readonly string[], families: string): UnitSection[1] {
  const on = literal("yes");
  return {
    CapabilityBoundingSet: literal(capabilities.join(" ")),
    NoNewPrivileges: on,
    ProtectSystem: literal("strict"),
    ProtectHome: on,
    ...PRIVATE_FILES,
    ...KERNEL_CLOSED,
    RestrictAddressFamilies: literal(families),
    ...RESTRICTED,
    ...FIXED_CODE,
    ...SERVICE_CALLS,
  };
}
