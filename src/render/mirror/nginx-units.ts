import type { AbsolutePath, UnitName } from "../../model/names";
import { FIXED_CODE, KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, SERVICE_CALLS } from "../sandboxing";
import { exec, literal, path, text, unitFile, words, type UnitSection } from "../unit-file";

/** What the front's unit is made of. */
export interface NginxUnit {
  readonly component: string;
  readonly user: string;
  readonly frontUser: string;
  readonly config: AbsolutePath;
  readonly run: AbsolutePath;
  readonly cache: AbsolutePath;
  readonly store?: AbsolutePath;
  /** A script that must have run before nginx reads its certificate: `sh <script> prepare`, as root without a sandbox. */
  readonly prepare?: AbsolutePath;
  /** Copied for the workers at every start and reload: the secret is root's alone, they read it on every request. */
  readonly passwords?: { readonly secret: AbsolutePath; readonly copy: AbsolutePath };
  /** Files outside /etc and /usr that the master reads. */
  readonly reads: readonly AbsolutePath[];
  /** Directories that it writes to, besides its own: the log's. */
  readonly writes: readonly AbsolutePath[];
  /** Descriptors of a worker. */
  readonly files: number;
  readonly ports: readonly number[];
  /** Seconds that downloads may still take when the service stops. */
  readonly stop: number;
}

const NGINX = "/usr/sbin/nginx";

/** nginx as an instance of its own: master as root with what it needs of root's power, workers as their user. */
export function nginxService(unit: NginxUnit): string {
  const copy = unit.passwords && passwordCopy(unit.passwords, unit.frontUser);
  const before = [
    ...(unit.prepare ? [literal(`+${exec("/bin/sh", unit.prepare, "prepare")}`)] : []),
    ...(copy ? [copy] : []),
    exec(NGINX, "-t", "-q", "-c", unit.config),
  ];
  const run = unit.run.replace(/^\/run\//, "");
  const cache = unit.cache.replace(/^\/var\/cache\//, "");
  return unitFile(
    [
      "Unit",
      {
        Description: text(`Go module mirror ${unit.component}, TLS front`),
        Documentation: literal("https://nginx.org/en/docs/"),
        Wants: literal("network-online.target"),
        After: literal("network-online.target nss-lookup.target"),
        RequiresMountsFor: unit.store && path(unit.store),
      },
    ],
    [
      "Service",
      {
        Type: literal("exec"),
        ExecStartPre: before,
        ExecStart: exec(NGINX, "-c", unit.config),
        ExecReload: [...before, exec(NGINX, "-c", unit.config, "-s", "reload")],
        // SIGQUIT lets downloads finish.
        KillMode: literal("mixed"),
        KillSignal: literal("SIGQUIT"),
        TimeoutStopSec: literal(`${unit.stop}s`),
        Restart: literal("on-failure"),
        RestartSec: literal("2s"),
        LimitNOFILE: literal(String(unit.files)),
        TasksMax: literal("512"),
        UMask: literal("0027"),
        // The group may reach Athens' socket and what the keeper leaves there.
        SupplementaryGroups: literal(unit.user),
        RuntimeDirectory: text(run),
        RuntimeDirectoryMode: literal("0711"),
        CacheDirectory: text(cache),
        CacheDirectoryMode: literal("0711"),
        ReadOnlyPaths: unit.store && words(`-${unit.store}`),
        ReadWritePaths: unit.writes.length > 0 ? words(...unit.writes) : undefined,
        ...sandbox(unit),
      },
    ],
    ["Install", { WantedBy: literal("multi-user.target") }],
  );
}

/** Units that reload the front when files which something else renews have changed. */
export function renewalUnits(front: UnitName, files: readonly AbsolutePath[]): { service: string; path: string } {
  return {
    service: unitFile(
      ["Unit", { Description: text(`Reload ${front} with renewed certificates`), After: literal(front) }],
      [
        "Service",
        {
          Type: literal("oneshot"),
          // Certificate and key are written one after the other.
          ExecStartPre: exec("/bin/sleep", "2"),
          ExecStart: exec("/bin/systemctl", "try-reload-or-restart", front),
        },
      ],
    ),
    path: unitFile(
      ["Unit", { Description: text(`Watch the certificates of ${front}`) }],
      ["Path", { PathChanged: files.map(path) }],
      ["Install", { WantedBy: literal("multi-user.target") }],
    ),
  };
}

function passwordCopy({ secret, copy }: { secret: AbsolutePath; copy: AbsolutePath }, user: string) {
  return exec("/usr/bin/install", "-m", "0440", "-o", "root", "-g", user, secret, copy);
}

/** See systemd.exec(5). */
function sandbox({ ports, reads, writes }: NginxUnit): UnitSection[1] {
  const on = literal("yes");
  const inHome = [...reads, ...writes].some((each) => /^\/(home|root|run\/user)(\/|$)/.test(each));
  const capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"];
  return {
    CapabilityBoundingSet: literal(
      [...capabilities, ...(ports.some((port) => port < 1024) ? ["CAP_NET_BIND_SERVICE"] : [])].sort().join(" "),
    ),
    NoNewPrivileges: on,
    ProtectSystem: literal("strict"),
    ProtectHome: literal(inHome ? "read-only" : "yes"),
    ...PRIVATE_FILES,
    ...KERNEL_CLOSED,
    ProcSubset: literal("pid"),
    RestrictAddressFamilies: words("AF_UNIX", "AF_INET", "AF_INET6"),
    ...RESTRICTED,
    RemoveIPC: on,
    ...FIXED_CODE,
    ...SERVICE_CALLS,
  };
}
