import { lineEnded } from "../../model/line-ended";
import type { ResolvedAthens } from "../../model/mirror/athens";
import { moduleProxies } from "../../model/mirror/athens-binary-check";
import type { AthensPaths } from "../../model/mirror/athens-paths";
import { athensSecretFiles, ENVIRONMENT_SECRET } from "../../model/mirror/athens-secrets";
import { ATHENS_RELEASES } from "../../model/mirror/athens-versions";
import { resolveDownloadMode } from "../../model/mirror/download-mode";
import type { AbsolutePath } from "../../model/names";
import { formatSize, parsePercent, parseSize } from "../../model/units";
import { athensConfig, type AthensSurroundings } from "../../render/mirror/athens-config";
import { athensUnit } from "../../render/mirror/athens-unit";
import { downloadModeFile } from "../../render/mirror/download-mode";
import type { HostPlan, PlanBuild, PlanDownload, PlanVariant } from "../host-plan";
import { recipeDigest } from "../recipe";
import { textFile } from "../text-file";
import { secretPath, type MirrorPlace } from "./place";

/** The texts of Athens' files. */
export interface AthensTexts<Text> {
  /** By `athensConfig`. */
  readonly config: Text;
  /** By `downloadModeFile`. */
  readonly downloadMode: Text;
  /** As given: where there is `private.ssh`. */
  readonly knownHosts?: Text;
  /** As given. */
  readonly robots?: Text;
  /** As given. */
  readonly homeTemplate?: Text;
}

/** The toolchain that Athens fetches with and, where it comes as a module, is built with. */
export interface AthensGo {
  /** Absolute path of the go command. */
  readonly goBinary: string;
  /** Where the go command's tree is, as in `PlanBuild`. */
  readonly goRoot: string;
  /** Module proxies of the host's downloads, for an Athens that says none. Without any: those of the toolchain's GOPROXY. */
  readonly proxies?: readonly string[];
}

/** The texts, where every value is known. */
export function athensTexts(
  athens: ResolvedAthens,
  place: MirrorPlace,
  around: AthensSurroundings,
): AthensTexts<string> {
  const { private: credentials, robots, homeTemplate } = athens;
  return {
    config: athensConfig(athens, athensPaths(athens, place), around),
    downloadMode: downloadModeFile(resolveDownloadMode(athens.downloadMode, around.privateModules)),
    ...(credentials.ssh === undefined ? {} : { knownHosts: lineEnded(credentials.ssh.knownHosts) }),
    ...(robots === undefined ? {} : { robots: lineEnded(robots) }),
    ...(homeTemplate === undefined ? {} : { homeTemplate: lineEnded(homeTemplate) }),
  };
}

/** Names of Athens' secrets; `athensSecrets` of render/mirror/athens-environment makes their texts. */
export function athensSecretNames(athens: ResolvedAthens<unknown>): string[] {
  return athensSecretFiles(athens).map(({ name }) => name);
}

export function athensPaths(athens: ResolvedAthens<unknown>, place: MirrorPlace): AthensPaths {
  const { settings, state, user } = place;
  const budget = athens.storage.kind === "disk" ? athens.storage.path : state;
  return {
    config: place.athens.config,
    downloadMode: place.athens.downloadMode,
    knownHosts: `${settings}/known_hosts`,
    robots: `${settings}/robots.txt`,
    homeTemplate: `${settings}/home.html`,
    socket: place.athens.socket,
    // No module's path begins with a dot, so it can lie in the store.
    fetch: `${budget}/.fetch`,
    home: `/run/${user}-home`,
    credentials: `/run/credentials/${place.athens.unit}`,
  };
}

/**
 * What a host must hold for Athens. Only the structure of the settings matters here; content is in `texts` and in the
 * secrets. Users, directories and the keeper's files are the mirror's other parts.
 */
export function athensPlan<Text>(
  athens: ResolvedAthens<unknown>,
  place: MirrorPlace,
  texts: AthensTexts<Text>,
  go: AthensGo,
): Partial<HostPlan<Text | string>> {
  const paths = athensPaths(athens, place);
  const secrets = athensSecretFiles(athens);
  const download = athensDownload(athens, go);
  const unitPath: AbsolutePath = `/etc/systemd/system/${place.athens.unit}`;
  const unit = athensUnit({
    component: place.component,
    user: place.user,
    program: `/usr/local/lib/gofleet/${place.component}/${download.name}/${program(athens)}`,
    paths,
    writes: athensWrites(athens, place),
    readOnlyEnvironment: place.athens.readOnlyEnvironment,
    credentials: secrets.map(({ name, credential }) => ({ credential, path: secretPath(place, name) })),
    hasEnvironment: secrets.some(({ name }) => name === ENVIRONMENT_SECRET),
    shutdown: athens.timeouts.shutdown,
    limits: { ...athens.limits, memory: memoryMax(athens.limits.memory) },
  });
  const files = [
    textFile(paths.config, texts.config),
    textFile(paths.downloadMode, texts.downloadMode),
    ...(texts.knownHosts === undefined ? [] : [textFile(paths.knownHosts, texts.knownHosts)]),
    ...(texts.robots === undefined ? [] : [textFile(paths.robots, texts.robots)]),
    ...(texts.homeTemplate === undefined ? [] : [textFile(paths.homeTemplate, texts.homeTemplate)]),
  ];
  return {
    files: [...files, textFile(unitPath, unit)],
    symlinks: [
      {
        path: `/etc/systemd/system/multi-user.target.wants/${place.athens.unit}`,
        target: `../${place.athens.unit}`,
        switched: false,
      },
    ],
    downloads: [download],
    units: [
      {
        name: place.athens.unit,
        onChange: "restart",
        reads: [...files.map(({ path }) => path), unitPath, ...secrets.map(({ name }) => name), download.name],
      },
    ],
    packages: packages(athens),
  };
}

/** The store, or where fetches go without one, and the socket's directory. */
export function athensWrites({ storage }: ResolvedAthens<unknown>, { state, runtime }: MirrorPlace): AbsolutePath[] {
  return [storage.kind === "disk" ? storage.path : state, runtime];
}

/** go needs git for what is not at a proxy; certificates to reach anything. */
function packages({ private: { ssh, hgrc } }: ResolvedAthens<unknown>): string[] {
  return [
    "ca-certificates",
    "git",
    ...(hgrc === undefined ? [] : ["mercurial"]),
    ...(ssh === undefined ? [] : ["openssh-client"]),
  ];
}

/** Where the executable is in the download's tree. */
function program({ binary }: ResolvedAthens<unknown>): string {
  if (binary.kind === "module") return "bin/athens";
  return binary.kind === "file" ? "athens" : (binary.program ?? "athens");
}

function athensDownload(athens: ResolvedAthens<unknown>, go: AthensGo): PlanDownload {
  const { binary, version } = athens;
  const name = `athens-${version}`;
  if (binary.kind !== "module") {
    const variants = (["amd64", "arm64"] as const).flatMap((arch): PlanVariant[] => {
      const found = binary[arch];
      return found === undefined ? [] : [{ arch, checksum: found.sha256.toLowerCase(), urls: [found.url] }];
    });
    return { name, format: binary.kind === "file" ? "file" : "tar.gz", variants };
  }
  const given = binary.proxy === undefined ? [] : [binary.proxy].flat();
  const goProxy = athens.goEnv["GOPROXY"];
  const listed = typeof goProxy === "string" ? moduleProxies(goProxy) : [];
  const proxies = [given, listed, go.proxies ?? []].find((list) => list.length > 0) ?? [];
  const urls = proxies.map((proxy) => `${proxy.replace(/\/+$/, "")}/${MODULE}/@v/v${version}.zip`);
  const build: PlanBuild = {
    package: "./cmd/proxy",
    output: "athens",
    goRoot: go.goRoot,
    env: proxies.length > 0 ? { GOPROXY: proxies.join("|") } : {},
  };
  return {
    name: `${name}-${recipeDigest(build)}`,
    format: "module",
    variants: [
      {
        arch: "any",
        checksum: ATHENS_RELEASES[version].h1,
        urls: proxies.length > 0 ? urls : [`goproxy:${MODULE}@v${version}`],
      },
    ],
    build,
    ...(proxies.length === 0 && { advice: OTHER_SOURCES }),
  };
}

const MODULE = "github.com/gomods/athens";

/** Said where the toolchain's own GOPROXY does not lead to Athens' sources. */
const OTHER_SOURCES =
  'a module proxy that this host reaches, as in upstream: ["https://modules.corp.example", "direct"], or a finished ' +
  'program, as in athens: { binary: { kind: "file", amd64: { url, sha256 } } }';

/** systemd takes no space between a number and its unit, and has one letter for it. */
function memoryMax(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const percent = parsePercent("", given);
  if (percent.issue === undefined) return `${percent.value}%`;
  const { value } = parseSize("", given);
  return value === undefined
    ? given
    : formatSize(value)
        .replace(" ", "")
        .replace(/iB$|B$/, "");
}
