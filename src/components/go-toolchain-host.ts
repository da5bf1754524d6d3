import * as pulumi from "@pulumi/pulumi";
import { checkGoEnv } from "../model/go-env";
import { type GoEnv } from "../model/go-env-keys";
import { hiddenIssue } from "../model/issues";
import { refusalsOf, refusedFor } from "../model/refused";
import { resolveToolchain, type GoToolchain } from "../model/toolchain";
import { checkToolchain } from "../model/toolchain-check";
import { toolchainPaths, toolchainPlan } from "../plan/toolchain";
import type { ToolchainFacts } from "../plan/toolchain-probe";
import { goEnvFile } from "../render/go-env-file";
import { pathProfile } from "../render/profile";
import { HostRelease, type HostFacts } from "../targets/host-release";
import { checkMirrorArg, mirrorEnvironment, mirrorTrust, MIRROR_ENV_KEYS, type MirrorArg } from "./mirror-ref";
import { readingOf } from "./reading";
import {
  checkReleaseArgs,
  releaseArgs,
  RELEASE_KEYS,
  targetSummary,
  throwIssues,
  type ReleaseArgs,
} from "./release-args";

/** Arguments of {@link GoToolchainHost}. */
export interface GoToolchainHostArgs extends GoToolchain<pulumi.Input<string>>, ReleaseArgs {
  /**
   * The module mirror that the go command uses: its settings lead `go.env`, and its certificates are added to what the
   * hosts trust. A `GoProxyMirror`, or the ref that another stack exports of one.
   * @default none
   */
  readonly mirror?: MirrorArg;
}

/**
 * A toolchain as plain data, to be exported by one stack and used by another:
 * `GoToolchainHost.from(stackReference.requireOutput("go"))`.
 */
export type GoToolchainRef = ToolchainFacts;

/** What other components need of a toolchain, wherever it was made. */
export interface GoToolchainOutputs {
  /** The default release's tree, as the go command itself reports it. */
  readonly goRoot: pulumi.Output<string>;
  /** The go command, by the path that switches with the release. */
  readonly goBinary: pulumi.Output<string>;
  /** The default release, `go1.26.8`, as read from the hosts. */
  readonly goVersion: pulumi.Output<string>;
  /** What `go env` says on the hosts of everything that was set. */
  readonly goEnv: pulumi.Output<Record<string, string>>;
}

/**
 * Verified Go releases on hosts, side by side, one of them the default, switched by one `rename(2)` and rolled back
 * where they do not work.
 *
 * ```ts
 * new GoToolchainHost("go", { target: ssh({ host: "10.20.0.11" }), go: lock("1.26") });
 * ```
 *
 * On the host: `/usr/local/lib/gofleet/<directory>/go<version>/` for each release (checked against the lock file before
 * it is unpacked), links `/usr/local/bin/go`, `gofmt` and `go<version>`, `/etc/profile.d/` for login shells, settings
 * that lead the tree's own `go.env` (so services, cron jobs, sudo and shells all see the same), and `/etc/gofleet/`,
 * `/var/lib/gofleet/` for the releases themselves. No user, port or service.
 */
export class GoToolchainHost extends pulumi.ComponentResource implements GoToolchainOutputs {
  /** The toolchain as plain data, for an export: what the hosts answered. */
  readonly ref: pulumi.Output<GoToolchainRef>;
  /** Its directory name under `/etc/gofleet` on the hosts. */
  readonly directory: string;
  /** The resources it is made of. */
  readonly nodes: { readonly release: HostRelease };

  /**
   * @param name part of its identity in the stack and, by default, of its directory on the hosts
   * @throws InputPropertiesError with every argument that will not do
   */
  constructor(name: string, args: GoToolchainHostArgs, opts?: pulumi.ComponentResourceOptions) {
    throwIssues(`GoToolchainHost "${name}"`, [
      ...checkToolchain(args, { isUnknown: pulumi.Output.isInstance, otherKeys: [...RELEASE_KEYS, "mirror"] }),
      ...checkMirrorArg(args.mirror, args.env),
      ...checkReleaseArgs({ ...args }),
    ]);
    const { mirror } = args;
    const toolchain = resolveToolchain(
      mirror === undefined ? args : { ...args, env: { ...args.env, ...mirrorEnvironment(mirror) } },
    );
    const shared = releaseArgs(args, name);
    super(
      "gofleet:index:GoToolchainHost",
      name,
      { ...toolchain, target: targetSummary(args.target), directory: shared.component },
      opts,
    );

    const paths = toolchainPaths(toolchain, shared.component);
    const plan = toolchainPlan<pulumi.Input<string>>(toolchain, shared.component, {
      goEnv: goEnvText(toolchain.env),
      profile: pathProfile(`${paths.goRoot}/bin`),
      trust: mirror && mirrorTrust(mirror),
    });
    const release = new HostRelease(`${name}-release`, { ...shared, plan }, { parent: this });

    this.ref = readingOf<GoToolchainRef>(release, "go", {
      goRoot: paths.goRoot,
      goBinary: paths.go,
      // What only a host can tell.
      goVersion: "",
      goEnv: {},
    });
    this.directory = shared.component;
    this.nodes = { release };
    this.registerOutputs({ goVersion: this.goVersion });
  }

  // Made when they are asked for: a stack of many components pays for what it uses.
  get goRoot(): pulumi.Output<string> {
    return this.ref.apply(({ goRoot }) => goRoot);
  }

  get goBinary(): pulumi.Output<string> {
    return this.ref.apply(({ goBinary }) => goBinary);
  }

  get goVersion(): pulumi.Output<string> {
    return this.ref.apply(({ goVersion }) => goVersion);
  }

  get goEnv(): pulumi.Output<Record<string, string>> {
    return this.ref.apply(({ goEnv }) => ({ ...goEnv }));
  }

  /** What is true of each host, by its key. */
  get hosts(): pulumi.Output<Record<string, HostFacts>> {
    return this.nodes.release.hostFacts();
  }

  /** A toolchain of another stack, by the ref that stack exported. */
  static from(ref: pulumi.Input<GoToolchainRef>): GoToolchainOutputs {
    const known = pulumi.output(ref).apply(checkRef);
    return {
      goRoot: known.apply(({ goRoot }) => goRoot),
      goBinary: known.apply(({ goBinary }) => goBinary),
      goVersion: known.apply(({ goVersion }) => goVersion),
      goEnv: known.apply(({ goEnv }) => ({ ...goEnv })),
    };
  }
}

/** The settings' text: at once where every value is plain; else when the values are known, and checked then. */
function goEnvText(env: GoEnv<pulumi.Input<string>>): pulumi.Input<string> {
  if (isPlain(env)) return goEnvFile(env);
  const known: pulumi.Output<GoEnv> = pulumi.output(env);
  return pulumi.all([known, pulumi.isSecret(known)]).apply(([given, secret]) => {
    const values = withoutEmpty(given);
    const refusal = Object.values(values).find((value) => refusalsOf(value).length > 0);
    if (refusal !== undefined) return refusal;
    const issues = secret
      ? [hiddenIssue("env", "a secret", "plain values: every user of the host can read them")]
      : checkGoEnv("env", values).map(({ path, wanted }) => hiddenIssue(path, "a value of another resource", wanted));
    return issues.length > 0 ? refusedFor(issues) : goEnvFile(values);
  });
}

/** What the mirror does not set is empty. */
function withoutEmpty(env: GoEnv): GoEnv {
  const unset = MIRROR_ENV_KEYS.filter((key) => env[key] === "");
  return Object.fromEntries(Object.entries(env).filter(([key]) => !unset.some((each) => each === key)));
}

function isPlain(env: GoEnv<pulumi.Input<string>>): env is GoEnv {
  return Object.values(env).every((value) => typeof value === "string");
}

function checkRef(ref: unknown): GoToolchainRef {
  const given = ref as Partial<GoToolchainRef> | undefined;
  const strings = [given?.goRoot, given?.goBinary, given?.goVersion];
  if (strings.some((value) => typeof value !== "string") || typeof given?.goEnv !== "object") {
    throw new Error("not a toolchain's ref: export `toolchain.ref` in the stack that makes it");
  }
  return given as GoToolchainRef;
}
