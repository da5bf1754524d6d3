import type { ResolvedAthens } from "../../model/mirror/athens";
import { GO_CHILD_DEFAULTS } from "../../model/mirror/athens-go-check";
import type { AthensPaths } from "../../model/mirror/athens-paths";
import { ATHENS_RELEASES } from "../../model/mirror/athens-versions";
import { command } from "../shell";
import { tomlFile, type TomlTable } from "../toml";
import { flightTable, indexTable, storageTable } from "./athens-services";

/** What Athens is told that others decide. */
export interface AthensSurroundings {
  /** The go command of the mirror's toolchain. */
  readonly goBinary: string;
  /** Patterns that go must not ask proxies and checksum databases for, as in GOPRIVATE. */
  readonly privateModules?: readonly string[];
  /** The same for Athens' checksum database route, in the wire's spellings. */
  readonly noSumPatterns?: readonly string[];
}

/**
 * `athens.toml`, without any secret. It may be read by all, as Athens checks that nobody else may write or execute it.
 * See https://github.com/gomods/athens/blob/main/config.dev.toml.
 */
export function athensConfig(athens: ResolvedAthens, paths: AthensPaths, around: AthensSurroundings): string {
  const { log, pprof, private: credentials, timeouts, tracing, workers } = athens;
  return tomlFile({
    GoEnv: "production",
    GoBinary: around.goBinary,
    GoBinaryEnvVars: goChild(athens, paths, around.privateModules ?? []),
    GoGetDir: paths.fetch,
    GoGetWorkers: workers.fetch,
    ProtocolWorkers: workers.request,
    UnixSocket: paths.socket,
    PathPrefix: athens.pathPrefix,
    ValidatorHook: athens.validatorHook,
    RobotsFile: paths.robots,
    HomeTemplatePath: paths.homeTemplate,
    NETRCPath: credentials.netrc === undefined ? undefined : `${paths.credentials}/netrc`,
    HGRCPath: credentials.hgrc === undefined ? undefined : `${paths.credentials}/.hgrc`,
    LogLevel: log.level,
    LogFormat: log.format === "plain" ? "plain" : "json",
    CloudRuntime: log.format === "gcp" ? "GCP" : "none",
    EnablePprof: pprof !== undefined,
    PprofPort: pprof === undefined ? undefined : `127.0.0.1:${pprof.port}`,
    StatsExporter: athens.stats === "none" ? "" : athens.stats,
    ...tracingKeys(tracing, ATHENS_RELEASES[athens.version].measuring === "opencensus"),
    SumDBs: athens.sumDatabases,
    NoSumPatterns: around.noSumPatterns ?? [],
    DownloadMode: `file:${paths.downloadMode}`,
    NetworkMode: athens.networkMode,
    Timeout: timeouts.external,
    StashTimeout: timeouts.stash,
    ShutdownTimeout: timeouts.shutdown,
    StorageType: athens.storage.kind,
    Storage: storageTable(athens.storage),
    SingleFlightType: athens.singleFlight.kind,
    SingleFlight: flightTable(athens.singleFlight),
    IndexType: athens.index.kind,
    Index: indexTable(athens.index),
  });
}

/** Environment of the go command, `NAME=value`: the list replaces Athens' own, and go gets little else. */
function goChild(
  { goEnv, private: { ssh } }: ResolvedAthens,
  paths: AthensPaths,
  privateModules: readonly string[],
): string[] {
  const patterns = [...privateModules].sort().join(",");
  const environment: Record<string, string> = {
    ...GO_CHILD_DEFAULTS,
    ...goEnv,
    ...(patterns === "" ? {} : { GONOSUMDB: patterns, GOPRIVATE: patterns }),
    ...(ssh === undefined ? {} : { GIT_SSH_COMMAND: sshCommand(paths), ...overSsh(ssh.hosts ?? []) }),
  };
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
}

/** This key and these host keys, nothing from the machine's own settings. See ssh_config(5). */
function sshCommand(paths: AthensPaths): string {
  const options = {
    BatchMode: "yes",
    GlobalKnownHostsFile: "/dev/null",
    IdentitiesOnly: "yes",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: paths.knownHosts,
  };
  const words = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return command("ssh", "-F", "none", "-i", `${paths.credentials}/ssh-key`, ...words);
}

/** Settings of git as variables: it takes these hosts' `https://` addresses by SSH. See git-config(1), `url.<base>.insteadOf`. */
function overSsh(hosts: readonly string[]): Record<string, string> {
  const settings = [...hosts].sort().flatMap((host, index) => [
    [`GIT_CONFIG_KEY_${index}`, `url.ssh://git@${host}/.insteadOf`],
    [`GIT_CONFIG_VALUE_${index}`, `https://${host}/`],
  ]);
  return hosts.length === 0 ? {} : Object.fromEntries([["GIT_CONFIG_COUNT", String(hosts.length)], ...settings]);
}

/** Up to 0.18.0 a Google project goes where others have a URL. */
function tracingKeys(tracing: ResolvedAthens["tracing"] | OtherTracing, opencensus: boolean): TomlTable {
  if (tracing === undefined) return { TraceExporter: "" };
  const { exporter } = tracing;
  const url = "project" in tracing ? tracing.project : tracing.url;
  const fraction = "fraction" in tracing ? tracing.fraction : undefined;
  return { TraceExporter: exporter, TraceExporterURL: url, TraceSamplingFraction: opencensus ? undefined : fraction };
}

interface OtherTracing {
  readonly exporter: string;
  readonly url: string;
  readonly fraction?: number;
}
