import type { GoVersion } from "../go-version";
import type { Platform } from "../platform";

/**
 * How a program is built on the operator's machine: `go build -trimpath` with nothing of the caller's own settings but
 * where modules come from.
 */
export interface ProgramBuild {
  /** The package, as the go command takes it: `./cmd/buildcached`. */
  readonly package: string;
  /**
   * The directory that `package` begins at, in the module or workspace; a relative one begins at the project.
   * @default the project
   */
  readonly directory?: string;
  /**
   * What to build for.
   * @default ["linux-amd64"]
   */
  readonly platforms?: readonly Platform[];
  /**
   * The Go release to build with, exactly: an installed one, or one of the lock file, fetched and verified. Without it
   * another machine may build another program.
   * @default an installed one that is not older than the module asks for, else the newest of the lock file
   */
  readonly go?: GoVersion;
  /**
   * Build tags.
   * @default none
   */
  readonly tags?: readonly string[];
  /**
   * Words for the linker: `["-s", "-w", "-X", "main.version=1.8.2"]`.
   * @default none
   * @see https://pkg.go.dev/cmd/link
   */
  readonly ldflags?: readonly string[];
  /**
   * cgo would take the C compiler and libraries of whoever builds.
   * @default false
   */
  readonly cgo?: false;
  /**
   * Whether the program carries the commit that it was built from; then every commit makes another program.
   * @default true where there is a version control system to ask
   */
  readonly vcs?: boolean;
}
