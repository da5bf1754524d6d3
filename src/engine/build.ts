import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { cacheDir } from "./cache";
import type { EngineMaker, FindOptions } from "./options";
import type { Progress } from "./progress";
import { run, type RunOptions } from "./run";
import { findGo, type Go } from "./toolchain";
import { ENGINE_VERSION } from "./version";

/** The Go package that the CLI is built from. */
export const COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** The small Go module (`go.mod`, `go.sum`) that pins the CLI and everything it is built from. */
const MODULE = join(__dirname, "pulumi-cli");

/**
 * Builds the CLI from its Go module, verified by the `go.sum` beside this file. Takes some minutes once; what is left
 * of an interrupted build in Go's own caches is used by the next one.
 */
export const buildEngine: EngineMaker = async (staging, options) => {
  const { progress } = options;
  const go = await findGo(neededGo(), options);
  const caches = ownCaches(go.goRoot, options);
  const source = join(staging, "source");
  mkdirSync(source);
  for (const file of ["go.mod", "go.sum"]) cpSync(join(MODULE, file), join(source, file));
  const building = { cwd: source, env: buildEnv(go.goRoot, caches, options.env), signal: options.signal };
  await compile(go, ENGINE_VERSION, join(staging, "bin", "pulumi"), building, progress);
  rmSync(source, { recursive: true });
  if (caches) {
    await run(go.command, ["clean", "-cache", "-modcache"], { ...building, cwd: staging });
    rmSync(caches, { recursive: true, force: true });
  }
};

/**
 * Compiles the CLI in a Go module that requires it.
 *
 * @param version what it shall say of itself, without the `v`
 * @param output path of the executable
 * @param building runs Go in the module's directory, see {@link buildEnv}
 */
export async function compile(
  go: Go,
  version: string,
  output: string,
  building: RunOptions,
  progress: Progress,
): Promise<void> {
  progress("fetching the Pulumi CLI's sources");
  let fetched = 0;
  const packages = await run(go.command, ["list", "-deps", COMMAND], {
    ...building,
    onLine: (line) => {
      if (line.startsWith("go: downloading")) progress(`fetching the Pulumi CLI's sources: ${++fetched} modules`);
    },
  });
  const total = packages.trim().split("\n").length;

  progress("building the Pulumi CLI");
  const ldflags = `-s -w -X ${VERSION_VARIABLE}=v${version}`;
  let compiled = 0;
  await run(go.command, ["build", "-v", "-mod=readonly", "-trimpath", "-ldflags", ldflags, "-o", output, COMMAND], {
    ...building,
    onLine: (line) => {
      if (/^[\w./-]+$/.test(line)) progress(`building the Pulumi CLI: ${++compiled} of at most ${total} packages`);
    },
  });
}

/** The `go` line of the pinned module: the oldest Go that can build it. */
function neededGo(): string {
  const version = /^go (\d+\.\d+(\.\d+)?)$/m.exec(readFileSync(join(MODULE, "go.mod"), "utf8"))?.[1];
  if (!version) throw new Error(`${join(MODULE, "go.mod")}: no go line`);
  return version;
}

/**
 * Only the user's proxy and checksum settings count: flags, a workspace or another toolchain would change the build.
 *
 * @param caches a directory for Go's caches instead of the user's own
 */
export function buildEnv(
  goRoot: string | undefined,
  caches: string | undefined,
  given: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const { GOROOT: _goRoot, ...env } = given;
  return {
    ...env,
    ...(goRoot ? { GOROOT: goRoot } : {}),
    ...(caches ? { GOPATH: join(caches, "path"), GOCACHE: join(caches, "build") } : {}),
    CGO_ENABLED: "0",
    GOFLAGS: "-buildvcs=false",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
  };
}

/** Where nobody uses Go, or the home directory cannot be written, Go's caches are ours, and are emptied afterwards. */
function ownCaches(goRoot: string | undefined, options: FindOptions): string | undefined {
  const cache = cacheDir(options.env, options.projectDir);
  return goRoot || cache.startsWith(options.projectDir) ? join(cache, "go-caches") : undefined;
}
