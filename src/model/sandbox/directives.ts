import { METADATA_ADDRESSES } from "./metadata";

/** One way in which a slot's unit is confined. */
export interface Directive {
  readonly name: string;
  /** As it stands in the unit; a list repeats the directive. */
  readonly value: string | readonly string[];
  /** Why a build sandbox has it, and what it costs a job. */
  readonly reason: string;
  /** What it becomes where jobs may make user namespaces; undefined: left out. Absent: it stays as it is. */
  readonly withUserNamespaces?: string | readonly string[] | undefined;
}

/**
 * Sockets of what would look up any name, at any server, for whoever asks: name service caches, systemd-resolved, and the
 * message bus by which that is asked as well.
 */
export const ASKS_FOR_OTHERS = "-/run/dbus -/run/nscd -/run/systemd/resolve/io.systemd.Resolve";

/** See io_uring(7); @system-service has these. */
const IO_URING = "io_uring_enter io_uring_register io_uring_setup";

/**
 * Every directive that confines a slot, in the order of the unit. The table in docs/build-agent-sandbox.md is this one.
 * All are known to systemd 249. See systemd.exec(5).
 */
export const DIRECTIVES = [
  {
    name: "NoNewPrivileges",
    value: "yes",
    reason: "sudo, and any other set-uid program, gives a job no rights it does not have",
    withUserNamespaces: undefined,
  },
  {
    name: "CapabilityBoundingSet",
    value: "",
    reason: "no capability, whatever is executed",
    withUserNamespaces: undefined,
  },
  { name: "AmbientCapabilities", value: "", reason: "no capability to begin with" },
  {
    name: "ProtectSystem",
    value: "strict",
    reason: "the host's files are read-only: a job writes its workspace, its caches and its own /tmp",
  },
  { name: "ProtectHome", value: "yes", reason: "people's files, keys and tokens are not there" },
  { name: "PrivateTmp", value: "yes", reason: "/tmp and /var/tmp are the job's own and go with it" },
  {
    name: "InaccessiblePaths",
    value: ASKS_FOR_OTHERS,
    reason: "over a socket or the message bus, the host's own resolver would look up any name for a job",
  },
  { name: "PrivateMounts", value: "yes", reason: "what is mounted for a job is seen by that job alone" },
  {
    name: "PrivateDevices",
    value: "yes",
    reason: "no disks, memory or other devices; null, zero, random and terminals stay",
  },
  { name: "DevicePolicy", value: "closed", reason: "the same, held by the kernel's device control as well" },
  {
    name: "PrivateUsers",
    value: "yes",
    reason: "root and other users of the host do not exist in the job's user namespace",
    withUserNamespaces: undefined,
  },
  {
    name: "PrivateIPC",
    value: "yes",
    reason: "no System V shared memory, semaphores or message queues of other processes",
  },
  { name: "ProtectClock", value: "yes", reason: "a wrong clock would break caches and certificates" },
  { name: "ProtectControlGroups", value: "yes", reason: "a job cannot lift its own limits" },
  { name: "ProtectHostname", value: "yes", reason: "the host's name stays what it is" },
  { name: "ProtectKernelLogs", value: "yes", reason: "the kernel's log tells addresses and other jobs' names" },
  { name: "ProtectKernelModules", value: "yes", reason: "no modules are loaded or read" },
  { name: "ProtectKernelTunables", value: "yes", reason: "/proc/sys and /sys are read-only" },
  { name: "ProtectProc", value: "invisible", reason: "processes of the host and of other slots cannot be seen" },
  {
    name: "RestrictAddressFamilies",
    value: "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    reason: "no raw packets, Bluetooth, vsock and the like; netlink is how Go lists the network's interfaces",
  },
  {
    name: "IPAddressDeny",
    value: METADATA_ADDRESSES.join(" "),
    reason: "cloud metadata holds the machine's credentials; the firewall denies it too, this holds without it",
  },
  {
    name: "RestrictNamespaces",
    value: "yes",
    reason: "new namespaces open most of the kernel's privileged code to a job",
    withUserNamespaces: undefined,
  },
  { name: "RestrictRealtime", value: "yes", reason: "a real-time loop would take a processor from everybody" },
  { name: "RestrictSUIDSGID", value: "yes", reason: "no set-uid file is left behind", withUserNamespaces: undefined },
  { name: "LockPersonality", value: "yes", reason: "rarely used ways to execute code stay closed" },
  { name: "KeyringMode", value: "private", reason: "keys of one job are not in the next one's keyring" },
  { name: "RemoveIPC", value: "yes", reason: "shared memory and semaphores of a job go with it" },
  {
    name: "SystemCallArchitectures",
    value: "native",
    reason: "the kernel's 32-bit entry is one more to guard; turn it off to run GOARCH=386 tests",
  },
  {
    name: "SystemCallFilter",
    value: ["@system-service", `~@privileged @resources ${IO_URING}`, "@chown"],
    reason:
      "no mounts, kernel modules, reboot, clock or ptrace; no io_uring, by which sockets of any family are made that no " +
      "filter of calls sees; @chown is kept, for tar and tests change their own files",
    withUserNamespaces: ["@system-service @mount @setuid @chown @keyring", `~@resources ${IO_URING}`],
  },
  {
    name: "SystemCallErrorNumber",
    value: "EPERM",
    reason: "a denied call is an error that programs report, not a crash",
  },
  { name: "UMask", value: "0077", reason: "what a job writes is for its own user" },
] as const satisfies readonly Directive[];

/** A directive of systemd that a slot has, by its name. */
export type DirectiveName = (typeof DIRECTIVES)[number]["name"];

export const DIRECTIVE_NAMES: readonly string[] = DIRECTIVES.map(({ name }) => name);

/** Directives of systemd that a slot does not have, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  MemoryDenyWriteExecute: "runtimes of agents and of tests (Node, .NET, Java) compile into memory",
  PrivateNetwork: "jobs fetch sources; the firewall says from where",
  ProcSubset: "Go, Node and .NET read how much memory and how many processors there are from /proc",
  RootDirectory: "compilers, git and the toolchain are the host's",
};
