/**
 * What a component must find on a host, as plain data. Pure functions make plans; a target applies them. `Text` is
 * `string`, or an `Output<string>` where a component made the plan from values that are not known yet.
 * The text form on the wire is the manifest of docs/host-protocol.md (see manifest.ts).
 */
export interface HostPlan<Text = string> {
  readonly files: readonly PlanFile<Text>[];
  readonly symlinks: readonly PlanSymlink[];
  readonly downloads: readonly PlanDownload[];
  readonly units: readonly PlanUnit[];
  readonly checks: readonly PlanCheck[];
  readonly probes: readonly PlanProbe[];
  readonly secrets: readonly PlanSecret[];
  /**
   * Packages of the distribution; a missing one is installed before the switch. No service of it is started or stays
   * enabled, and it stays on the host when the component goes.
   */
  readonly packages: readonly string[];
  /** Ports the units listen on: a switch is refused while a process that is not of the component holds one. */
  readonly listens: readonly PlanListen[];
  /** Seconds in which a new connection must confirm the switch before the host goes back by itself; 0 = none. */
  readonly confirm: number;
  /** How the host looks after the release for some time after the switch; default: not at all. */
  readonly watch?: PlanWatch;
  /**
   * The release changes what no older release can live with, such as data that it migrates in place: once its units were
   * entered it stays on the host, also where its probes fail. Default: a release that fails is taken back.
   */
  readonly irreversible?: true;
}

/** A text file. */
export interface PlanFile<Text = string> {
  /** Absolute path on the host. */
  readonly path: string;
  readonly text: Text;
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** `link`: the path is a symlink through the release. `copy`: a regular file, for daemons that must not follow one. */
  readonly place: "link" | "copy";
}

export interface PlanSymlink {
  readonly path: string;
  /** Absolute, or relative to the directory of `path`. */
  readonly target: string;
  /** True: the managed path goes through `current`, so that it switches with the release. False: the link as it is. */
  readonly switched: boolean;
}

/** Something big: an archive or a binary, checked before it is unpacked, placed beside other versions. */
export interface PlanDownload {
  /** Directory name under `/usr/local/lib/gofleet/<component>/`; carries the version. */
  readonly name: string;
  readonly format: "tar.gz" | "module" | "file";
  /** Only for format `file`: the file's name. Default: the last part of the first URL, else the download's name. */
  readonly as?: string;
  /** One per architecture; `any` fits all. */
  readonly variants: readonly PlanVariant[];
  /** A file of the release whose lines lead those of a file in the tree: Go's `go.env`. */
  readonly overlay?: { readonly path: string; readonly text: string };
  /** Only for format `module`: what is unpacked is source, built on the host into `bin/<output>` of the tree. */
  readonly build?: PlanBuild;
  /** What a person can do where it cannot be fetched or built, one sentence; said with the error. */
  readonly advice?: string;
}

/**
 * A command built on the host from a module's own `go.mod` and `go.sum`: `go build -mod=readonly -trimpath`, without cgo,
 * with caches of its own that are deleted afterwards. Every host of a pool builds for itself. Two recipes must not share
 * a download's name, for a release that goes back finds the tree of that name: let it carry {@link recipeDigest}.
 */
export interface PlanBuild {
  /** The package's directory in the module: `./cmd/proxy`. */
  readonly package: string;
  /** File name of the command below `bin/` of the tree. */
  readonly output: string;
  /** The toolchain: an absolute path on the host, or `download:<name>` of a download of the same plan. */
  readonly goRoot: string;
  /**
   * More environment for go, such as GOPROXY and GOSUMDB; no secrets, it is part of the state. It cannot change what is
   * set for every build: CGO_ENABLED, GOTOOLCHAIN, GOENV, GOWORK, caches and HOME.
   */
  readonly env: Readonly<Record<string, string>>;
  /** True: the sources stay beside `bin/`. Default: only `bin/` stays. */
  readonly keepSources?: boolean;
}

export interface PlanVariant {
  readonly arch: "amd64" | "arm64" | "any";
  /** sha256 in hex (`tar.gz`, `file`) or `h1:…` (`module`). */
  readonly checksum: string;
  /**
   * Where to get it, in order of preference; not part of the release's identity. Empty: pushed by the operator. With a
   * `build` also `goproxy:<module>@<version>`: by the go command that builds it, from where its GOPROXY says.
   */
  readonly urls: readonly string[];
  /** File on the operator's machine to push when the host does not have it. */
  readonly file?: string;
}

export interface PlanUnit {
  readonly name: string;
  /** What a changed digest asks for; `start` starts it only if it is not active. */
  readonly onChange: "restart" | "reload" | "start" | "none";
  /** Managed paths, secret and download names the unit reads; when one of them changes, `onChange` happens. */
  readonly reads: readonly string[];
  /**
   * With `reload`: those of `reads` that a process which runs does not take up, such as its program, its unit and its
   * variables; when one of them changes, the unit is restarted. Default: a reload takes up everything.
   */
  readonly restartFor?: readonly string[];
}

/**
 * A check before the switch: an sh script that must exit 0 in time, or the host stays as it is. It runs as root (or as
 * the user of a local root) when everything is staged and fetched, outside the host's lock, so that it may take minutes;
 * only for a release that differs from the current one, not on the way back after a failure elsewhere. `GOFLEET_STAGED`
 * is the directory with the staged files as a tree, `GOFLEET_ROOT` the root prefix, which may be empty.
 */
export interface PlanCheck {
  readonly name: string;
  /** Seconds. */
  readonly timeout: number;
  readonly script: string;
}

/** A check after the switch: an sh script that must exit 0 in time. Runs as root (or as the user of a local root). */
export interface PlanProbe {
  readonly name: string;
  /** Seconds. */
  readonly timeout: number;
  readonly script: string;
}

/**
 * The host's own look at a release for some time after it settled, when no operator is connected any more. Only where
 * systemd runs. The window goes on after a reboot with what is left of it, and ends early with the next release.
 */
export interface PlanWatch {
  /** Seconds the window is long. */
  readonly seconds: number;
  /** Seconds between two looks. */
  readonly interval: number;
  /**
   * sh, run as root at each look. Exit code 0: good; lines it printed are noted as findings. 1: the release must go; what
   * it printed says why. Anything else is noted and changes nothing. In its environment: `GOFLEET_SINCE`, when the
   * release's units were started, in seconds since 1970 with a fraction; `GOFLEET_STARTED`, the units that were started
   * then, separated by spaces; `GOFLEET_WATCH`, a directory of its own for what it must remember until the next look.
   */
  readonly script: string;
  /** `report`: a release that must go is only noted, for one that cannot be taken back. */
  readonly onTrip: "revert" | "report";
  /** Other components' directories: those whose own windows are still open go back as well, the last one switched first. */
  readonly together: readonly string[];
}

/** Bytes that units read by a stable path, `/etc/gofleet/<component>/current/.gofleet/secrets/<name>`. */
export interface PlanSecret {
  readonly name: string;
  /** HMAC-SHA256 in hex, keyed with the component's own key. */
  readonly hmac: string;
}

/** A TCP port. */
export interface PlanListen {
  /** IPv4 or IPv6 address without brackets; `0.0.0.0` and `::` stand for all of theirs. */
  readonly address: string;
  readonly port: number;
  /** The unit that listens there. */
  readonly unit: string;
}

/** A plan with nothing in it. */
export const EMPTY_PLAN: HostPlan = {
  files: [],
  symlinks: [],
  downloads: [],
  units: [],
  checks: [],
  probes: [],
  secrets: [],
  packages: [],
  listens: [],
  confirm: 0,
};
