import type { GoEnvKey } from "../model/go-env-keys";
import type { AbsolutePath } from "../model/names";
import { PLATFORMS, type Platform } from "../model/platform";
import {
  OFFICIAL_URL,
  resolveToolchain,
  toolchainModule,
  type GoRelease,
  type GoSource,
  type GoToolchain,
} from "../model/toolchain";
import type { HostPlan, PlanDownload, PlanSymlink, PlanVariant } from "./host-plan";
import { textFile } from "./text-file";
import { toolchainProbe } from "./toolchain-probe";

/** Where a toolchain component's things are on a host. */
export interface ToolchainPaths {
  /** The settings of the go command, the lines that go before a release's own `go.env`. */
  readonly goEnv: AbsolutePath;
  /** A link to the default release's tree; `bin/go` below it is the default go. */
  readonly goRoot: AbsolutePath;
  /** The login shells' script. */
  readonly profile: AbsolutePath;
  /** Certificates that the component adds to the host's own. See update-ca-certificates(8). */
  readonly trust: AbsolutePath;
  /** The default `go`, as a person or a job calls it. */
  readonly go: AbsolutePath;
}

/** The texts of a toolchain's files: `goEnv` by `goEnvFile`, `profile` by `pathProfile` for `<goRoot>/bin`. */
export interface ToolchainTexts<Text> {
  readonly goEnv: Text;
  readonly profile: Text;
  /** Certificates (PEM) to add to what the host trusts. */
  readonly trust?: Text;
}

/** A link to the default release's tree, which switches with the component's release. */
export function toolchainRoot(component: string): AbsolutePath {
  return `/etc/gofleet/${component}/goroot`;
}

export function toolchainPaths(toolchain: GoToolchain<unknown>, component: string): ToolchainPaths {
  const goRoot = toolchainRoot(component);
  return {
    goEnv: `/etc/gofleet/${component}/go.env`,
    goRoot,
    profile: `/etc/profile.d/gofleet-${component}.sh`,
    trust: `/usr/local/share/ca-certificates/gofleet-${component}.crt`,
    go: resolveToolchain(toolchain).links ? "/usr/local/bin/go" : `${goRoot}/bin/go`,
  };
}

/**
 * What a host must hold for a Go toolchain: each release's tree, the settings they read, links to the default one and a
 * probe that reads back what the host now has. Only the keys of `env` matter here; its values are in `texts`.
 */
export function toolchainPlan<Text>(
  toolchain: GoToolchain<unknown>,
  component: string,
  texts: ToolchainTexts<Text>,
): HostPlan<Text> {
  const { go, also, source, env, links, profile } = resolveToolchain(toolchain);
  const paths = toolchainPaths(toolchain, component);
  const tree = (release: GoRelease) => `${toolchainTrees(component)}/${downloadName(release)}`;
  return {
    files: [
      textFile(paths.goEnv, texts.goEnv),
      ...(profile ? [textFile(paths.profile, texts.profile)] : []),
      ...(texts.trust === undefined ? [] : [{ ...textFile(paths.trust, texts.trust), place: "copy" as const }]),
    ],
    symlinks: [
      switched(paths.goRoot, tree(go)),
      ...(links
        ? [
            switched("/usr/local/bin/go", `${tree(go)}/bin/go`),
            switched("/usr/local/bin/gofmt", `${tree(go)}/bin/gofmt`),
            ...also.map((release) => switched(`/usr/local/bin/go${release.version}`, `${tree(release)}/bin/go`)),
          ]
        : []),
    ],
    downloads: [go, ...also].map((release) => download(release, source, release === go, paths.goEnv)),
    units: [],
    checks: [],
    probes: [
      {
        name: "go",
        timeout: 60,
        script: toolchainProbe({
          go: paths.go,
          goEnv: paths.goEnv,
          version: go.version,
          also: also.map((release) => ({ version: release.version, go: `${tree(release)}/bin/go` })),
          keys: Object.keys(env) as GoEnvKey[],
        }),
      },
    ],
    secrets: [],
    packages: texts.trust === undefined ? [] : ["ca-certificates"],
    listens: [],
    confirm: 0,
  };
}

/** The directory of a component's releases of Go, each below its name. */
export function toolchainTrees(component: string): AbsolutePath {
  return `/usr/local/lib/gofleet/${component}`;
}

function downloadName({ version }: GoRelease): string {
  return `go${version}`;
}

function download(release: GoRelease, source: GoSource, isDefault: boolean, goEnv: AbsolutePath): PlanDownload {
  const variants = PLATFORMS.flatMap((platform) => {
    const found = variant(release, platform, source, isDefault);
    return found ? [found] : [];
  });
  const formats = new Set(variants.map(({ format }) => format));
  if (formats.size > 1) throw new Error(`the files of go${release.version} must be of one kind, .tar.gz or .zip`);
  return {
    name: downloadName(release),
    format: variants[0]?.format ?? "tar.gz",
    variants: variants.map(({ variant }) => variant),
    overlay: { path: "go.env", text: goEnv },
  };
}

interface Found {
  readonly format: PlanDownload["format"];
  readonly variant: PlanVariant;
}

/** One platform's archive; undefined where the release or the source does not have that platform. */
function variant(release: GoRelease, platform: Platform, source: GoSource, isDefault: boolean): Found | undefined {
  const { version, checksums } = release;
  const { sha256, h1 } = checksums[platform] ?? {};
  const arch = platform === "linux-amd64" ? "amd64" : "arm64";
  switch (source.kind) {
    case "official": {
      const urls = [`${source.url ?? OFFICIAL_URL}/go${version}.${platform}.tar.gz`];
      return sha256 === undefined ? undefined : { format: "tar.gz", variant: { arch, checksum: sha256, urls } };
    }
    case "module": {
      const file = `golang.org/toolchain/@v/${toolchainModule(version, platform)}.zip`;
      const urls = [source.proxy].flat().map((proxy) => `${proxy}/${file}`);
      return h1 === undefined ? undefined : { format: "module", variant: { arch, checksum: h1, urls } };
    }
    case "file": {
      const file = (isDefault ? source.paths : source.also?.[version])?.[platform];
      if (file === undefined) return undefined;
      const isModule = file.endsWith(".zip");
      const checksum = isModule ? h1 : sha256;
      if (checksum === undefined) return undefined;
      return { format: isModule ? "module" : "tar.gz", variant: { arch, checksum, urls: [], file } };
    }
    default: {
      const never: never = source;
      return never;
    }
  }
}

function switched(path: AbsolutePath, target: string): PlanSymlink {
  return { path, target, switched: true };
}
