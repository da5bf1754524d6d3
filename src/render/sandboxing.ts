import { literal, type UnitSection, type UnitText } from "./unit-file";

/**
 * What services of a host's own do without, in groups that a unit takes whole. Where a unit differs, and what it may
 * write, it says itself: `ProtectHome=`, `ReadWritePaths=`, capabilities, address families. See systemd.exec(5).
 */
type Settings = UnitSection[1];

const on = literal("yes");

/** Temporary files and devices of its own: of the devices only /dev/null and its like. */
export const PRIVATE_FILES = { PrivateTmp: on, PrivateDevices: on } satisfies Settings;

/** The kernel as it is, and no other user's processes. */
export const KERNEL_CLOSED = {
  ProtectClock: on,
  ProtectControlGroups: on,
  ProtectHostname: on,
  ProtectKernelLogs: on,
  ProtectKernelModules: on,
  ProtectKernelTunables: on,
  ProtectProc: literal("invisible"),
} satisfies Settings;

/** No namespaces, no real-time scheduling, no files that run as somebody else. */
export const RESTRICTED = {
  RestrictNamespaces: on,
  RestrictRealtime: on,
  RestrictSUIDSGID: on,
} satisfies Settings;

/** Code that stays what it was when it was loaded: not for what compiles while it runs. */
export const FIXED_CODE = { LockPersonality: on, MemoryDenyWriteExecute: on } satisfies Settings;

/** System calls of the machine's own kind, of those that services need; others fail instead of ending the process. */
export const SERVICE_CALLS = systemCalls(literal("@system-service"));

/** The same without those that need privileges or change limits. */
export const UNPRIVILEGED_CALLS = systemCalls([literal("@system-service"), literal("~@privileged @resources")]);

function systemCalls(filter: UnitText | readonly UnitText[]) {
  return {
    SystemCallArchitectures: literal("native"),
    SystemCallFilter: filter,
    SystemCallErrorNumber: literal("EPERM"),
  } satisfies Settings;
}
