import type { AthensPaths } from "../../model/mirror/athens-paths";
import type { AbsolutePath } from "../../model/names";
import { command } from "../shell";
import { FIXED_CODE, KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, UNPRIVILEGED_CALLS } from "../sandboxing";
import { environment, exec, literal, path, text, unitFile, words, type UnitSection, type UnitText } from "../unit-file";

/** What the unit of Athens is made of. */
export interface AthensUnit {
  /** The component's directory name, for a person who lists units. */
  readonly component: string;
  readonly user: string;
  readonly program: AbsolutePath;
  readonly paths: AthensPaths;
  /** Directories that Athens writes: the store or the state, and where the socket is. */
  readonly writes: readonly AbsolutePath[];
  /** An EnvironmentFile that need not be there and leads the settings. */
  readonly readOnlyEnvironment: AbsolutePath;
  /** Secret files: as the unit sees them, and where they are. */
  readonly credentials: readonly { readonly credential: string; readonly path: AbsolutePath }[];
  /** Whether one of them is `athens.env`. */
  readonly hasEnvironment: boolean;
  /** Seconds in which Athens ends by itself. */
  readonly shutdown: number;
  readonly limits: { readonly memory?: string; readonly tasks: number; readonly openFiles: number };
}

/** What begins before Athens does: an old socket would stop it, an old fetch would use the store's budget. */
function prepare({ socket, fetch }: AthensPaths): UnitText {
  const script = [
    command("rm", "-f", socket),
    command("mkdir", "-p", fetch),
    command("find", fetch, "-mindepth", "1", "-delete"),
  ].join(" && ");
  return exec("/bin/sh", "-c", script);
}

/** The variables of a credential are read by a shell, which then becomes Athens. */
function start({ program, paths, hasEnvironment }: AthensUnit): UnitText {
  if (!hasEnvironment) return exec(program, "-config_file", paths.config);
  const script = 'set -a && . "$CREDENTIALS_DIRECTORY/athens.env" && set +a && exec "$@"';
  return exec("/bin/sh", "-c", script, "athens", program, "-config_file", paths.config);
}

/**
 * Athens' unit. It may reach the network and write its store, and nothing of either may be executed: git, ssh and go come
 * from the system. See systemd.exec(5).
 */
export function athensUnit(unit: AthensUnit): string {
  const { component, user, paths, writes, credentials, limits, shutdown } = unit;
  const runtimeDirectory = paths.home.replace(/^\/run\//, "");
  return unitFile(
    [
      "Unit",
      {
        Description: text(`Athens, the Go module proxy of ${component}`),
        Documentation: literal("https://docs.gomods.io/"),
        Wants: literal("network-online.target"),
        After: literal("network-online.target"),
        RequiresMountsFor: words(...writes),
        StartLimitIntervalSec: literal("10min"),
        StartLimitBurst: literal("60"),
      },
    ],
    [
      "Service",
      {
        Type: literal("exec"),
        User: text(user),
        Group: text(user),
        UMask: literal("0007"),
        RuntimeDirectory: text(runtimeDirectory),
        RuntimeDirectoryMode: literal("0700"),
        WorkingDirectory: path(paths.home),
        Environment: [environment("HOME", paths.home), environment("TMPDIR", paths.fetch)],
        EnvironmentFile: text(`-${unit.readOnlyEnvironment}`),
        LoadCredential: credentials.map((each) => text(`${each.credential}:${each.path}`)),
        ExecStartPre: prepare(paths),
        ExecStart: start(unit),
        // What it needs may be away for minutes (a lock server, a bucket): it gives up after five.
        Restart: literal("always"),
        RestartSec: literal("5s"),
        // Fetches in progress end with Athens, in their own time.
        KillMode: literal("mixed"),
        KillSignal: literal("SIGTERM"),
        TimeoutStopSec: literal(`${shutdown + 15}s`),
        // A git that took too much memory must not take Athens with it.
        OOMPolicy: literal("continue"),
        MemoryMax: limits.memory === undefined ? undefined : literal(limits.memory),
        TasksMax: literal(String(limits.tasks)),
        LimitNOFILE: literal(String(limits.openFiles)),
        ...sandbox(writes, paths.home),
      },
    ],
    ["Install", { WantedBy: literal("multi-user.target") }],
  );
}

function sandbox(writes: readonly AbsolutePath[], home: AbsolutePath): UnitSection[1] {
  const yes = literal("yes");
  return {
    ProtectSystem: literal("strict"),
    ReadWritePaths: words(...writes),
    NoExecPaths: words(...writes, home, "/tmp", "/var/tmp"),
    ProtectHome: yes,
    ...PRIVATE_FILES,
    DevicePolicy: literal("closed"),
    ...KERNEL_CLOSED,
    ProcSubset: literal("pid"),
    NoNewPrivileges: yes,
    CapabilityBoundingSet: literal(""),
    AmbientCapabilities: literal(""),
    RestrictAddressFamilies: literal("AF_UNIX AF_INET AF_INET6"),
    ...RESTRICTED,
    ...FIXED_CODE,
    KeyringMode: literal("private"),
    RemoveIPC: yes,
    ...UNPRIVILEGED_CALLS,
  };
}
