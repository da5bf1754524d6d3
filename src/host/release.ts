import type { Pin } from "../model/pin";
import type { Rollout } from "../model/rollout";
import type {
  HostPlan,
  PlanCheck,
  PlanDownload,
  PlanFile,
  PlanListen,
  PlanProbe,
  PlanUnit,
  PlanVariant,
  PlanWatch,
} from "../plan/host-plan";
import type { Hooks } from "./hooks";

/**
 * Inputs of the release resource, as they stand in the state and in a preview. Maps keyed by path or name, so that a
 * preview names exactly what changes; text once per target, however many hosts take it.
 */
export interface ReleaseInputs {
  /** Directory under `/etc/gofleet` on the host. */
  readonly component: string;
  /** `organisation/project/stack`. */
  readonly stack: string;
  /** The resource's own URN: names the owner on the host and the row that shows progress. */
  readonly resourceUrn: string;
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly plan: PlanInputs;
  /** Bytes (UTF-8 text) by secret name; secret in the state. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** A line per host, see `connection.ts`. */
  readonly hosts: Readonly<Record<string, string>>;
  /** sudo passwords by host key; secret in the state. */
  readonly passwords?: Readonly<Record<string, string>>;
  readonly policy: ReleasePolicy;
  readonly rollout: Rollout;
  /** Tokens and passwords by gate; secret in the state. */
  readonly gateSecrets?: Readonly<Record<string, string>>;
  readonly hooks?: Hooks;
  /** The hosts are held on a release they keep; that of the program waits. From the stack's configuration. */
  readonly pin?: Pin;
  /** What a refresh found changed on the hosts: `host → path → what`. A program never sets it. */
  readonly drift?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A plan without its texts. */
export interface PlanInputs {
  /** `0644 root:root`, plus ` copy` for a regular file, by path. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly downloads?: Readonly<Record<string, DownloadInputs>>;
  readonly units?: Readonly<Record<string, Omit<PlanUnit, "name">>>;
  readonly checks?: Readonly<Record<string, Omit<PlanCheck, "name">>>;
  readonly probes?: Readonly<Record<string, Omit<PlanProbe, "name">>>;
  readonly packages?: readonly string[];
  /** Unit by `address:port`. */
  readonly listens?: Readonly<Record<string, string>>;
  readonly confirm?: number;
  readonly watch?: PlanWatch;
  readonly irreversible?: true;
}

/** A download with its variants by architecture. */
export interface DownloadInputs extends Omit<PlanDownload, "name" | "variants"> {
  readonly variants: Readonly<Record<string, Omit<PlanVariant, "arch">>>;
}

export interface ReleasePolicy {
  /** A host that cannot be reached: an error; left as it is, and tried again next time; or given up. */
  readonly unreachable: "fail" | "keep" | "gone";
  /** Units, users and links in the way that are not ours: refused, or set aside until destroy. `take`: also another stack's component. */
  readonly adopt: "refuse" | "displace" | "take";
  /** Another machine under a known host key: an error, or an installation. */
  readonly onNewMachine: "fail" | "install";
  /** Directories in the way: refused, or set aside until destroy. */
  readonly replaces?: "directory";
  /** Releases kept on the host, the current one included. */
  readonly keep: number;
  /** Ids of releases kept on the host however old they are: those of protected snapshots. */
  readonly protected?: readonly string[];
  /** Seconds for one host's operation, everything included. */
  readonly deadline: number;
  /** Seconds to try for the first connection, with growing pauses; a machine made in the same run has to boot. */
  readonly connect: number;
  /** Operating systems outside the supported list: refused, or tried. */
  readonly unsupported: "refuse" | "allow";
  /** Sinks for who changed what, as words of a request. Default: `journal`. */
  readonly audit?: string;
  /** Going back by a pin and taking off are refused without a reason. */
  readonly reasons?: true;
  /** Paths that stay when the component goes. */
  readonly keepData?: readonly string[];
}

/**
 * Outputs: the inputs under their own names (the SDK hands `read` and `delete` nothing else, and a secret stays one
 * only under its own name), and what is true on the hosts.
 */
export interface ReleaseState extends ReleaseInputs {
  /** 32 hex digits made at create: who owns the directory on the hosts. */
  readonly instance: string;
  /** 64 hex digits, secret: keys the digests that stand for secrets on the hosts. */
  readonly key: string;
  /** `release machine-id facts` by host. */
  readonly actual: Readonly<Record<string, string>>;
  /** What each probe printed, as read from the host. */
  readonly readings: Readonly<Record<string, string>>;
  /** The release of a rollout that left hosts on it and did not come to its end; no longer there once one has. */
  readonly unfinished?: string;
}

/** One host's entry in {@link ReleaseState.actual}. */
export interface Actual {
  readonly release: string;
  readonly machine: string;
  /** `debian-12 amd64 systemd-252`. */
  readonly facts: string;
}

export function formatActual({ release, machine, facts }: Actual): string {
  return `${release} ${machine} ${facts}`;
}

export function parseActual(line: string | undefined): Actual | undefined {
  if (line === undefined) return undefined;
  const [release = "", machine = "", ...facts] = line.split(" ");
  return { release, machine, facts: facts.join(" ") };
}

/** A plan as inputs: maps with sorted keys, nothing that is empty or a default. */
export function planInputs(plan: HostPlan<unknown>): PlanInputs {
  const some = <T>(map: Record<string, T>) => (Object.keys(map).length === 0 ? undefined : map);
  return withoutUndefined({
    attributes: keyed(plan.files, ({ path }) => path, attributes),
    symlinks: some(
      keyed(
        plan.symlinks.filter(({ switched }) => switched),
        pathOf,
        ({ target }) => target,
      ),
    ),
    links: some(
      keyed(
        plan.symlinks.filter(({ switched }) => !switched),
        pathOf,
        ({ target }) => target,
      ),
    ),
    downloads: some(keyed(plan.downloads, nameOf, downloadInputs)),
    units: some(keyed(plan.units, nameOf, ({ name: _, ...rest }) => rest)),
    checks: some(keyed(plan.checks, nameOf, ({ name: _, ...rest }) => rest)),
    probes: some(keyed(plan.probes, nameOf, ({ name: _, ...rest }) => rest)),
    packages: plan.packages.length === 0 ? undefined : [...plan.packages].sort(),
    listens: some(keyed(plan.listens, endpoint, ({ unit }) => unit)),
    confirm: plan.confirm === 0 ? undefined : plan.confirm,
    watch: plan.watch,
    irreversible: plan.irreversible,
  });
}

/** The plan back from inputs; `hmac` gives the digest that stands for a secret. */
export function planOf(inputs: ReleaseInputs, hmac: (name: string, secret: string) => string): HostPlan {
  const { plan } = inputs;
  return {
    files: Object.entries(inputs.files).map(([path, text]) => fileOf(path, text, plan.attributes[path])),
    symlinks: [
      ...Object.entries(plan.symlinks ?? {}).map(([path, target]) => ({ path, target, switched: true })),
      ...Object.entries(plan.links ?? {}).map(([path, target]) => ({ path, target, switched: false })),
    ],
    downloads: Object.entries(plan.downloads ?? {}).map(([name, rest]) => downloadOf(name, rest)),
    units: Object.entries(plan.units ?? {}).map(([name, rest]) => ({ name, ...rest })),
    checks: Object.entries(plan.checks ?? {}).map(([name, rest]) => ({ name, ...rest })),
    probes: Object.entries(plan.probes ?? {}).map(([name, rest]) => ({ name, ...rest })),
    secrets: Object.entries(inputs.secrets ?? {}).map(([name, secret]) => ({ name, hmac: hmac(name, secret) })),
    packages: plan.packages ?? [],
    listens: Object.entries(plan.listens ?? {}).map(([at, unit]) => listenOf(at, unit)),
    confirm: plan.confirm ?? 0,
    ...(plan.watch === undefined ? {} : { watch: plan.watch }),
    ...(plan.irreversible === true ? { irreversible: true as const } : {}),
  };
}

const DEFAULT_ATTRIBUTES = "0644 root:root";

function attributes({ mode, owner, group, place }: PlanFile<unknown>): string {
  return `${mode} ${owner}:${group}${place === "copy" ? " copy" : ""}`;
}

function fileOf(path: string, text: string, line = DEFAULT_ATTRIBUTES): PlanFile {
  const [mode = "", who = "", place] = line.split(" ");
  const [owner = "", group = ""] = who.split(":");
  return { path, text, mode, owner, group, place: place === "copy" ? "copy" : "link" };
}

function downloadInputs({ name: _, variants, ...rest }: PlanDownload): DownloadInputs {
  const byArch = keyed(
    variants,
    ({ arch }) => arch,
    ({ arch: __, ...variant }) => withoutUndefined(variant),
  );
  const { build, ...plain } = rest;
  return withoutUndefined({ ...plain, variants: byArch, build: build && withoutUndefined(build) });
}

function downloadOf(name: string, { variants, ...rest }: DownloadInputs): PlanDownload {
  const list = Object.entries(variants).map(([arch, variant]) => ({ arch: arch as PlanVariant["arch"], ...variant }));
  return { name, ...rest, variants: list };
}

function endpoint({ address, port }: PlanListen): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function listenOf(at: string, unit: string): PlanListen {
  const colon = at.lastIndexOf(":");
  return { address: at.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(at.slice(colon + 1)), unit };
}

const pathOf = ({ path }: { readonly path: string }): string => path;
const nameOf = ({ name }: { readonly name: string }): string => name;

function keyed<T, V>(items: readonly T[], key: (item: T) => string, value: (item: T) => V): Record<string, V> {
  const sorted = [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return Object.fromEntries(sorted.map((item) => [key(item), value(item)]));
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
