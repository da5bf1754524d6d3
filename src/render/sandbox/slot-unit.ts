import { DIRECTIVES, type Directive, type DirectiveName } from "../../model/sandbox/directives";
import type { Limits } from "../../model/sandbox/limits";
import type { AbsolutePath, UnitName } from "../../model/names";
import type { ResolvedAgent } from "../../model/sandbox/agent";
import { resolvConfBind } from "./name-lookups";
import { environment, exec, literal, path, text, unitFile, words, type UnitSection, type UnitText } from "../unit-file";

/** What the template of the slots' units is made of. A slot's number follows each directory of all slots. */
export interface SlotUnit {
  readonly component: string;
  readonly group: string;
  /** A slot's slice is this, its number and `.slice`. */
  readonly slices: string;
  /** `gofleet-sandbox`. */
  readonly program: AbsolutePath;
  readonly config: AbsolutePath;
  readonly agent: ResolvedAgent;
  /** Changes with all that agents are told of their forge; undefined: they are no forge's. */
  readonly registration: string | undefined;
  readonly limits: Limits;
  /** The `/etc/resolv.conf` of jobs. */
  readonly resolvConf: AbsolutePath;
  /** Directory of all workspaces. */
  readonly workspaces: AbsolutePath;
  /** Directory of all slots' caches, `<number>/build` and `<number>/modules` in it. */
  readonly caches: AbsolutePath;
  /** The one build cache of all slots; undefined: each has its own view below `caches`. */
  readonly sharedBuildCache: AbsolutePath | undefined;
  /** Directories in which commands are looked for, before the system's. */
  readonly path: readonly AbsolutePath[];
  /** Commands that must succeed, as root, before anything is made for a job. */
  readonly guards: readonly UnitText[];
  /** Units without which no job begins. */
  readonly requires: readonly UnitName[];
  /** Units that come first, and whose failure stops nothing. */
  readonly wants: readonly UnitName[];
  /** A slot's AppArmor profile is this, a dash and its number; undefined: none. */
  readonly apparmorProfiles: string | undefined;
  readonly userNamespaces: boolean;
  /** Directives that are left out. */
  readonly off: readonly DirectiveName[];
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Longest a start may wait: for a pause to end, and for what a crash left to be deleted. */
const START_WITHIN = "15min";

/**
 * The template of the slots' units. One start is one job: root makes the workspace and the views of the caches, the agent
 * runs as the slot's user, root clears up, whatever happened; then the unit starts again.
 */
export function slotUnit(unit: SlotUnit): string {
  const { component, group, agent, limits, requires, wants } = unit;
  const endsWith = agent.forge?.program.endsWith;
  const buildCache = unit.sharedBuildCache === undefined ? ofSlot(unit.caches, "/build") : words(unit.sharedBuildCache);
  return unitFile(
    [
      "Unit",
      {
        Description: literal(`Build slot %i of ${text(component)}`),
        Requires: units(requires),
        Wants: units(["network-online.target", ...wants]),
        After: units(["network-online.target", ...requires, ...wants]),
        RequiresMountsFor: both(ofSlot(unit.workspaces), buildCache),
        // An agent that ends at once is started again for ever, at a pace that hurts nobody.
        StartLimitIntervalSec: literal("0"),
        // Not read by systemd. What a forge knows of an agent that waits for a job is only renewed with the agent.
        "X-Registration": unit.registration === undefined ? undefined : literal(unit.registration),
      },
    ],
    [
      "Service",
      {
        Type: literal("exec"),
        User: literal(`${group}-%i`),
        Group: literal(group),
        Slice: literal(`${text(unit.slices)}%i.slice`),
        // Root's own commands come before there is a workspace, and after it is gone.
        WorkingDirectory: literal(`-${path(unit.workspaces)}/%i/work`),
        Environment: surroundings(unit, buildCache),
        ...steps(unit),
        SuccessExitStatus: endsWith === undefined ? undefined : literal(String(endsWith)),
        Restart: literal("always"),
        RestartSec: literal("2s"),
        TimeoutStartSec: literal(START_WITHIN),
        // The agent is asked; what it leaves behind is killed.
        KillMode: literal("mixed"),
        KillSignal: literal(agent.stopSignal),
        TimeoutStopSec: literal(`${agent.stopWithin}s`),
        // A compiler that took too much memory fails its job; the agent lives to say so.
        OOMPolicy: literal("continue"),
        MemoryMax: literal(String(limits.slot.memoryBytes)),
        TasksMax: literal(String(limits.slot.tasks)),
        LimitNOFILE: literal(String(limits.openFiles)),
        // A crash leaves no image of memory, which may hold a job's secrets.
        LimitCORE: literal("0"),
        // Root's own commands have a mount namespace too, and the workspace is not there yet, or no more.
        ReadWritePaths: both(
          optional(ofSlot(unit.workspaces)),
          optional(buildCache),
          optional(ofSlot(unit.caches, "/modules")),
        ),
        BindReadOnlyPaths: resolvConfBind(unit.resolvConf),
        AppArmorProfile: unit.apparmorProfiles === undefined ? undefined : literal(`${text(unit.apparmorProfiles)}-%i`),
        ...hardening(unit),
        ...temporary(unit.limits),
        // What one user writes into a shared cache, the users of all slots read and replace.
        ...(unit.sharedBuildCache === undefined ? {} : { UMask: literal("0007") }),
      },
    ],
    ["Install", { WantedBy: literal("multi-user.target") }],
  );
}

/**
 * The commands around a job. An agent that a forge must know is registered last, when all else is ready, and unregistered
 * first; a forge that does not answer then holds up nothing.
 */
function steps(unit: SlotUnit): UnitSection[1] {
  const { agent, guards, registration } = unit;
  const asRoot = (each: UnitText) => literal(`+${each}`);
  const before = [...guards, command(unit, "prepare")];
  const run = command(unit, "run");
  if (registration === undefined) {
    return {
      ExecStartPre: before.map(asRoot),
      ExecStart: agent.command === undefined ? run : literal(`${run} -- ${commandWords(agent.command)}`),
      ExecStopPost: asRoot(command(unit, "finish")),
    };
  }
  return {
    ExecStartPre: [...before, command(unit, "register")].map(asRoot),
    ExecStart: run,
    ExecStop: literal(`-+${command(unit, "leave")}`),
    ExecStopPost: [literal(`-+${command(unit, "deregister")}`), asRoot(command(unit, "finish"))],
  };
}

/** The directives that are not turned off, as they are with or without user namespaces. */
function hardening({ off, userNamespaces }: SlotUnit): UnitSection[1] {
  const chosen = DIRECTIVES.flatMap((directive: Directive & { readonly name: DirectiveName }) => {
    const changes = userNamespaces && "withUserNamespaces" in directive;
    const value = changes ? directive.withUserNamespaces : directive.value;
    return value === undefined || off.includes(directive.name) ? [] : [[directive.name, [value].flat()] as const];
  });
  return Object.fromEntries(chosen.map(([name, values]) => [name, values.map(literal)]));
}

/**
 * Temporary files in memory, each file system of a size. /dev/shm is one in any case: it would be the host's, which all
 * processes share. /tmp and /var/tmp are, where a job's other files are: on the disk they would have no bound.
 */
function temporary({ workspaceBytes, slot }: Limits): UnitSection[1] {
  const mount = (where: string, bytes: number) => `${where}:size=${bytes},mode=1777,nosuid,nodev`;
  const shared = mount("/dev/shm", slot.sharedMemoryBytes);
  if (workspaceBytes === 0) return { TemporaryFileSystem: literal(shared) };
  const all = [shared, mount("/tmp", workspaceBytes), mount("/var/tmp", workspaceBytes)];
  return { PrivateTmp: undefined, TemporaryFileSystem: literal(all.join(" ")) };
}

function surroundings({ workspaces, caches, limits, path: first }: SlotUnit, buildCache: UnitText): UnitText[] {
  const { maxProcs, goMemoryBytes } = limits.slot;
  return [
    environment("PATH", [...first, SYSTEM_PATH].join(":")),
    prefixed("HOME=", ofSlot(workspaces, "/home")),
    prefixed("TMPDIR=", ofSlot(workspaces, "/tmp")),
    prefixed("GOTMPDIR=", ofSlot(workspaces, "/gotmp")),
    prefixed("GOCACHE=", buildCache),
    prefixed("GOMODCACHE=", ofSlot(caches, "/modules")),
    ...(maxProcs === undefined ? [] : [environment("GOMAXPROCS", String(maxProcs))]),
    ...(goMemoryBytes === undefined ? [] : [environment("GOMEMLIMIT", `${goMemoryBytes}B`)]),
  ];
}

function command({ program, config }: SlotUnit, verb: string): UnitText {
  return literal(`${exec(program, verb, "-config", config, "-slot")} %i`);
}

/** The agent's command as words of the one that runs it. */
function commandWords(words: readonly string[]): string {
  return exec("x", ...words).slice("x ".length);
}

/** A path of one slot, quoted: the directory of all, the number, the rest. */
function ofSlot(all: AbsolutePath, rest = ""): UnitText {
  return literal(`${words(`${all}/`).slice(0, -1)}%i${words(rest).slice(1)}`);
}

/** `HOME=` before a quoted word, inside its quotes. */
function prefixed(name: string, word: UnitText): UnitText {
  return literal(`"${name}${word.slice(1)}`);
}

/** A path that may be missing: `-` before a quoted word, inside its quotes. */
function optional(word: UnitText): UnitText {
  return prefixed("-", word);
}

function both(...list: readonly UnitText[]): UnitText {
  return literal(list.join(" "));
}

function units(names: readonly string[]): UnitText | undefined {
  return names.length === 0 ? undefined : literal(names.join(" "));
}
