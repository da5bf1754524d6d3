/** One way in which a service is confined. */
export interface ServiceDirective {
  readonly name: string;
  /** As it stands in the unit; a list repeats the directive. */
  readonly value: string | readonly string[];
  /** Why a service has it, and what it costs. */
  readonly reason: string;
  /** True where systemd has it with `DynamicUser=` in any case, so that only a named user can do without. */
  readonly dynamic?: boolean;
}

/**
 * Every directive that confines a service, in the order of the unit. The table in docs/go-service-unit.md is this one.
 * All are known to systemd 249. See systemd.exec(5).
 */
export const DIRECTIVES = [
  {
    name: "NoNewPrivileges",
    value: "yes",
    reason: "no set-uid program gives the service rights that it does not have",
    dynamic: true,
  },
  { name: "CapabilityBoundingSet", value: "", reason: "no capability, whatever is executed" },
  { name: "AmbientCapabilities", value: "", reason: "no capability to begin with; low ports come from a socket" },
  {
    name: "ProtectSystem",
    value: "strict",
    reason: "the host's files are read-only: the service writes its own directories and /tmp",
    dynamic: true,
  },
  { name: "ProtectHome", value: "yes", reason: "people's files, keys and tokens are not there" },
  { name: "PrivateTmp", value: "yes", reason: "/tmp and /var/tmp are its own and go with it", dynamic: true },
  { name: "PrivateDevices", value: "yes", reason: "no disks, memory or other devices; null, zero and random stay" },
  { name: "DevicePolicy", value: "closed", reason: "the same, held by the kernel's device control as well" },
  { name: "PrivateUsers", value: "yes", reason: "root and other users of the host do not exist in its user namespace" },
  { name: "PrivateIPC", value: "yes", reason: "no shared memory or queues of other processes" },
  { name: "ProtectClock", value: "yes", reason: "the host's clock stays what it is" },
  { name: "ProtectControlGroups", value: "yes", reason: "the service cannot lift its own limits" },
  { name: "ProtectHostname", value: "yes", reason: "the host's name stays what it is" },
  { name: "ProtectKernelLogs", value: "yes", reason: "the kernel's log tells addresses" },
  { name: "ProtectKernelModules", value: "yes", reason: "no modules are loaded or read" },
  { name: "ProtectKernelTunables", value: "yes", reason: "/proc/sys and /sys are read-only" },
  { name: "ProtectProc", value: "invisible", reason: "processes of other users cannot be seen" },
  {
    name: "RestrictAddressFamilies",
    value: "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    reason: "no raw packets, Bluetooth, vsock and the like; netlink is how Go lists the network's interfaces",
  },
  { name: "RestrictNamespaces", value: "yes", reason: "new namespaces open most of the kernel's privileged code" },
  { name: "RestrictRealtime", value: "yes", reason: "a real-time loop would take a processor from everybody" },
  { name: "RestrictSUIDSGID", value: "yes", reason: "no set-uid file is left behind", dynamic: true },
  { name: "LockPersonality", value: "yes", reason: "rarely used ways to execute code stay closed" },
  {
    name: "MemoryDenyWriteExecute",
    value: "yes",
    reason: "no code is made at run time; Go needs none, a JIT that is linked in does",
  },
  { name: "KeyringMode", value: "private", reason: "the kernel's keyring is its own" },
  { name: "RemoveIPC", value: "yes", reason: "shared memory and semaphores go with the service", dynamic: true },
  { name: "SystemCallArchitectures", value: "native", reason: "the kernel's 32-bit entry is one more to guard" },
  {
    name: "SystemCallFilter",
    value: ["@system-service", "~@privileged @resources"],
    reason: "no mounts, kernel modules, reboot, clock, ptrace or change of owners and limits",
  },
  {
    name: "SystemCallErrorNumber",
    value: "EPERM",
    reason: "a denied call is an error that the service reports, not a crash",
  },
  { name: "UMask", value: "0077", reason: "what it writes is for its own user" },
] as const satisfies readonly ServiceDirective[];

/** A directive of systemd that a service has, by its name. */
export type ServiceDirectiveName = (typeof DIRECTIVES)[number]["name"];

export const DIRECTIVE_NAMES: readonly string[] = DIRECTIVES.map(({ name }) => name);

/** Those that a service with `DynamicUser=` cannot do without. */
export const DYNAMIC_DIRECTIVES: readonly string[] = DIRECTIVES.flatMap((directive: ServiceDirective) =>
  directive.dynamic ? [directive.name] : [],
);

/** Directives of systemd that a service does not have, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  IPAddressDeny: "whom a service may reach is its network's to say; clients are not known to the unit",
  PrivateNetwork: "a service listens and calls others",
  ProcSubset: "Go reads the length of the accept queue (somaxconn) from /proc/sys",
  RootDirectory: "certificates, time zones and name resolution are the host's",
};
