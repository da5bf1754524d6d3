import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";
import { apparmorBelow, apparmorBetween, apparmorDirectory } from "./apparmor-text";

/** What {@link apparmorCommon} is made of. */
export interface ApparmorCommon {
  /** The component's directory name. */
  readonly component: string;
  readonly mode: "enforce" | "complain";
  /** Jobs may make user namespaces. */
  readonly userNamespaces: boolean;
  /** Directories of programs and their libraries besides the system's own: Go releases, the agent. */
  readonly programs: readonly AbsolutePath[];
  /** Settings of `gofleet-sandbox`. */
  readonly config: AbsolutePath;
}

/**
 * What the profiles of all slots have in common, to be included by them. No rule, no right: nothing here lets a job use
 * a capability, mount, trace or signal what is not of its own profile, open a raw socket, or read people's files,
 * passwords and keys.
 */
export function apparmorCommon(common: ApparmorCommon): string {
  const blocks: readonly (readonly [string, readonly string[]])[] = [
    ["The system's programs, their libraries and data.", SYSTEM],
    ["Other programs of jobs.", common.programs.flatMap(programs)],
    ["Settings that any program reads; of passwords only the public part.", SETTINGS],
    [
      "Where Go's own settings are, and those of the slot.",
      [
        "/etc/gofleet/*/releases/*/.gofleet/overlay/* r,",
        "/etc/gofleet/*/releases/*/etc/profile.d/* r,",
        `${apparmorBetween(`/etc/gofleet/${common.component}/releases/`, common.config)} r,`,
      ],
    ],
    ["Devices without hardware behind them, and the system's log.", DEVICES],
    ["The kernel's view of itself, and of the job's own processes.", KERNEL],
    ["Temporary files; the unit gives each slot a /tmp of its own.", TEMPORARY],
    ["Processes of the same slot; systemd ends them.", PROCESSES],
    ["Where to is the firewall's business.", NETWORK],
    ...(common.userNamespaces
      ? ([["Capabilities that are held only inside of a user namespace of the job's own.", USER_NAMESPACES]] as const)
      : []),
    ...(common.mode === "enforce" && !common.userNamespaces
      ? ([["Programs that run as somebody else. In complain mode even this rule would deny.", PRIVILEGED]] as const)
      : []),
    ["Rules of the host's administrators.", [`include if exists <local/gofleet-${common.component}>`]],
  ];
  const text = blocks
    .filter(([, rules]) => rules.length > 0)
    .map(([comment, rules]) => [`# ${comment}`, ...rules].map((line) => `  ${line}`).join("\n"));
  return `${[`  ${MARKER}`, ...text].join("\n\n")}\n`;
}

const SYSTEM = [
  "/ r,",
  "/{bin,sbin,lib,lib32,lib64,libx32}/{,**} mrix,",
  "/usr/{,local/} r,",
  "/usr/{,local/}{bin,sbin,lib,lib32,lib64,libx32,libexec}/{,**} mrix,",
  "/usr/{,local/}{etc,include,share,src}/{,**} r,",
  "/opt/{,**} mrix,",
];

const SETTINGS = [
  "/etc/{debian_version,lsb-release,machine-id,os-release} r,",
  "/etc/{environment,inputrc,profile,shells} r,",
  "/etc/{gai.conf,host.conf,hostname,hosts,networks,nsswitch.conf,protocols,resolv.conf,rpc,services} r,",
  "/etc/{group,passwd} r,",
  "/etc/{bash.bashrc,gitattributes,gitconfig,locale.alias,locale.conf,localtime,magic,mime.types,timezone,wgetrc} r,",
  "/etc/ld.so.{cache,conf,preload} r,",
  "/etc/{alternatives,ca-certificates,ld.so.conf.d,profile.d,terminfo,xdg}/{,**} r,",
  "/etc/{java*,maven,perl,python*}/{,**} r,",
  "/etc/ssh/{,ssh_config,ssh_config.d/{,*},ssh_known_hosts} r,",
  "/etc/ssl/{,openssl.cnf,certs/{,**}} r,",
  "/run/{NetworkManager,resolvconf,systemd/resolve}/{,stub-}resolv.conf r,",
];

const DEVICES = [
  "/dev/{,pts/,shm/} r,",
  "/dev/{full,null,ptmx,tty,zero} rw,",
  "/dev/{random,urandom} r,",
  "owner /dev/pts/[0-9]* rw,",
  "owner /dev/shm/** rwkmix,",
  "/run/systemd/journal/{dev-log,socket,stdout} rw,",
];

const KERNEL = [
  "/proc/ r,",
  "/proc/{cpuinfo,filesystems,loadavg,meminfo,mounts,stat,swaps,uptime,version} r,",
  "/proc/{pressure,sys}/{,**} r,",
  "owner /proc/[0-9]*/{,**} r,",
  "owner /proc/[0-9]*/{,task/[0-9]*/}{comm,coredump_filter,oom_score_adj} w,",
  "/sys/devices/system/{cpu,node}/{,**} r,",
  "/sys/fs/cgroup/{,**} r,",
  "/sys/kernel/mm/transparent_hugepage/* r,",
];

const TEMPORARY = ["/{,var/}tmp/ r,", "owner /{,var/}tmp/** rwkmix,", "owner link /{,var/}tmp/** -> /{,var/}tmp/**,"];

const PROCESSES = [
  "signal peer=@{profile_name},",
  "signal receive peer=unconfined,",
  "ptrace peer=@{profile_name},",
  "unix (create, bind, listen, getattr, setattr, getopt, setopt, shutdown),",
  "unix (accept, connect, send, receive) peer=(label=@{profile_name}),",
  // Standard output, which systemd connected to the journal.
  "unix (send, receive) type=stream peer=(label=unconfined, addr=none),",
];

const NETWORK = [
  "network inet stream,",
  "network inet dgram,",
  "network inet6 stream,",
  "network inet6 dgram,",
  // How Go and the C library list the machine's addresses; no packets.
  "network netlink raw,",
];

const USER_NAMESPACES = [
  "capability,",
  "mount,",
  "umount,",
  "pivot_root,",
  "owner /proc/[0-9]*/{gid_map,setgroups,uid_map} w,",
  "/etc/sub{gid,uid} r,",
];

const PRIVILEGED = [
  "audit deny /{,usr/}{,s}bin/{at,chage,chfn,chsh,crontab,expiry,gpasswd,newgidmap,newgrp,newuidmap,passwd,sg} x,",
  "audit deny /{,usr/}{,s}bin/{doas,fusermount,fusermount3,mount,pkexec,run0,su,sudo,sudoedit,umount} x,",
];

function programs(directory: AbsolutePath): string[] {
  return [`${apparmorDirectory(directory)} r,`, `${apparmorBelow(directory)} mrix,`];
}
