export { GoToolchainHost } from "./components/go-toolchain-host";
export type { GoToolchainHostArgs, GoToolchainOutputs, GoToolchainRef } from "./components/go-toolchain-host";
export type { HookArgs, HooksArgs } from "./components/hook-args";
export { GoProxyMirror } from "./components/go-proxy-mirror";
export type { GoProxyMirrorArgs } from "./components/mirror-args";
export type { GoProxyMirrorOutputs, GoProxyMirrorRef, MirrorArg } from "./components/mirror-ref";
export type { ReleaseArgs } from "./components/release-args";
export { lock } from "./model/lock-file";
export type { Platform } from "./model/platform";
export type { GoEnv } from "./model/go-env";
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
export { hostPool, type HostPoolArgs, type RolloutArgs } from "./targets/host-pool";
export type { HostFacts, HostRelease } from "./targets/host-release";
export { local, type LocalArgs } from "./targets/local";
export { ssh, type SshArgs } from "./targets/ssh";
export type { HostTarget, TargetHost, TargetSettings } from "./targets/target";
