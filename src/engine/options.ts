import type { GoRelease } from "../model/toolchain";
import type { Progress } from "./progress";

/** Puts a Pulumi CLI of version `ENGINE_VERSION` into `bin/` of a staging directory. */
export type EngineMaker = (staging: string, options: FindOptions) => Promise<void>;

/** Where to look and how to report. */
export interface FindOptions {
  /** The environment whose PATH, HOME, XDG_CACHE_HOME and GOPROXY count. */
  readonly env: NodeJS.ProcessEnv;
  /** The project, for its `.gofleet/cache` where the home directory cannot be written. */
  readonly projectDir: string;
  readonly progress: Progress;
  /** Go releases with their checksums, for building where no fitting Go is installed. */
  readonly releases: readonly GoRelease[];
  readonly signal?: AbortSignal;
}
