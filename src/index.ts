export { BuildAgentSandbox } from "./components/build-agent-sandbox";
export type { AllowedArg, BuildAgentSandboxArgs } from "./components/sandbox-args";
export type { MirrorMonitoring } from "./components/mirror-monitoring";
export type { SandboxMonitoring } from "./components/sandbox-monitoring";
export type { ToolchainArg, ToolchainOnHost } from "./components/toolchain-arg";
export { GoToolchainHost } from "./components/go-toolchain-host";
export type { GoToolchainHostArgs, GoToolchainOutputs, GoToolchainRef } from "./components/go-toolchain-host";
export { GoServiceUnit } from "./components/go-service-unit";
export type { GoServiceUnitArgs, RollbackArgs } from "./components/service-args";
export type { ServiceMonitoring } from "./components/service-monitoring";
export type { HookArgs, HooksArgs } from "./components/hook-args";
export { GoProxyMirror } from "./components/go-proxy-mirror";
export type { GoProxyMirrorArgs } from "./components/mirror-args";
export type { GoProxyMirrorOutputs, GoProxyMirrorRef, MirrorArg } from "./components/mirror-ref";
export type { ReleaseArgs } from "./components/release-args";
export { lock } from "./model/lock-file";
export type { Platform } from "./model/platform";
export type { GoEnv } from "./model/go-env-keys";
export type { Agent, ForgeAgent } from "./model/sandbox/agent";
export type { BuildkiteAgent } from "./model/sandbox/agents/buildkite";
export type { ExecAgent } from "./model/sandbox/agents/exec";
export type { GithubAgent, GithubCredential } from "./model/sandbox/agents/github";
export type { GitlabAgent, GitlabScope } from "./model/sandbox/agents/gitlab";
export type { JenkinsAgent, JenkinsCredential, JenkinsRelease } from "./model/sandbox/agents/jenkins";
export type { AgentRelease } from "./model/sandbox/agents/release";
export type { AgentStop } from "./model/sandbox/agents/stop";
export type { CacheArgs, CacheProgramArgs } from "./model/sandbox/cache";
export type { LimitsArgs } from "./model/sandbox/limits";
export type { ModuleEnv, ModulesArgs } from "./model/sandbox/modules";
export type { AllowedHost, NetworkArgs } from "./model/sandbox/network";
export type { Confinement, HardeningArgs, JobArgs, SandboxArgs } from "./model/sandbox/sandbox";
export type { WatermarkArgs } from "./model/sandbox/watermarks";
export type { ServiceDirectiveName } from "./model/service/directives";
export type { EnvironmentFile, TelemetryArgs } from "./model/service/environment";
export type { HealthArgs, HealthGet, LivenessArgs, Notify, ReadinessArgs, WatchdogArgs } from "./model/service/health";
export type { JournalArgs } from "./model/service/journal";
export type { ServiceLimitsArgs } from "./model/service/limits";
export type { SocketArgs, TcpAddress } from "./model/service/listen";
export type { LatencyArgs, RatioLimitArgs, MainMetricArgs, MetricsArgs } from "./model/service/metrics-args";
export type { BuildRelease, ByPlatform, FileRelease, ServiceRelease, UrlRelease } from "./model/service/release";
export type { ProgramBuild } from "./model/service/release-build";
export type { FoundIdentity, ProgramIdentity } from "./model/service/release-identity";
export type { BreakerArgs, RestartArgs } from "./model/service/restart";
export type { RsyslogArgs, RsyslogServerArgs, RsyslogTlsArgs } from "./model/service/rsyslog";
export type { DirectoryArgs, ServiceArgs, StopArgs, Update } from "./model/service/service";
export type { ExitVerdict, WatchArgs, WatchLogArgs, WatchSignal } from "./model/service/watch";
export type {
  Checksums,
  FileSource,
  GoRelease,
  GoSource,
  GoToolchain,
  ModuleSource,
  OfficialSource,
} from "./model/toolchain";
export type { Duration, Percent, Size } from "./model/units";
export type { GateAfter } from "./model/gates";
export type {
  ApprovalGateArgs,
  CommandGateArgs,
  GateCommonArgs,
  GateCredentials,
  HttpGateArgs,
  MainMetricGateArgs,
  PrometheusGateArgs,
  PrometheusServerArgs,
  RequestGateArgs,
} from "./model/gate-args";
export {
  approvalGate,
  commandGate,
  errorRateGate,
  httpGate,
  mainMetricGate,
  prometheusGate,
  serverErrorGate,
  type RolloutGate,
} from "./targets/gates";
export { hostPool, type HostPoolArgs } from "./targets/host-pool";
export type { RolloutArgs } from "./targets/rollout-args";
export type { HostFacts, HostRelease } from "./targets/host-release";
export { local, type LocalArgs } from "./targets/local";
export type { AuditArgs } from "./model/audit";
export { ssh, type SshArgs } from "./targets/ssh";
export type { HostTarget, TargetHost, TargetSettings } from "./targets/target";
