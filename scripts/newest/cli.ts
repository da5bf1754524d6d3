import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { buildEnv, COMMAND, compile } from "../../src/engine/build";
import { writeLaunchers } from "../../src/engine/launcher";
import type { FindOptions } from "../../src/engine/options";
import { CommandFailed, run } from "../../src/engine/run";
import { findGo, type Go } from "../../src/engine/toolchain";

const MODULE = "github.com/pulumi/pulumi/pkg/v3";

/** Old enough for any machine: this Go only reads modules; what the CLI itself needs is asked of it. */
const READER = "1.21.0";

/** As far as `go mod edit -json` is read here, see `go help mod edit`. */
interface GoMod {
  readonly Go: string;
  readonly Replace: readonly Replacement[] | null;
}

interface Replacement {
  readonly Old: { readonly Path: string };
  readonly New: { readonly Path: string; readonly Version?: string };
}

/**
 * The newest version of the CLI's Go module that this machine's Go can have.
 *
 * @param candidates versions without the `v`, the newest first
 * @throws {Error} with the last refusal where none can be had.
 */
export async function newestCli(candidates: readonly string[], options: FindOptions): Promise<string> {
  const go = await findGo(READER, options);
  let refusal = "there is none to try";
  for (const version of candidates) {
    try {
      options.progress(`asking for the Pulumi CLI ${version}`);
      await download(go, version, options);
      return version;
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      refusal = error.message;
    }
  }
  throw new Error(`none of ${candidates.length} versions of ${MODULE} can be had: ${refusal}`);
}

/**
 * Builds a version of the CLI that is not pinned into `bin/` of `staging`, the launcher for dynamic providers beside it.
 * Go's checksum database vouches for the sources.
 */
export async function buildCli(version: string, staging: string, options: FindOptions): Promise<void> {
  const reader = await findGo(READER, options);
  const wanted = await goModOf(reader, version, options);
  const go = await findGo(wanted.Go, options);
  const source = join(staging, "source");
  mkdirSync(source);
  const building = { cwd: source, env: buildEnv(go.goRoot, undefined, options.env) };
  await run(go.command, ["mod", "init", "gofleet/newest-cli"], building);
  // Only the main module's replacements count, so the CLI's are repeated. Those without a version are directories.
  for (const { Old, New } of wanted.Replace ?? []) {
    if (New.Version === undefined) continue;
    await run(go.command, ["mod", "edit", `-replace=${Old.Path}=${New.Path}@${New.Version}`], building);
  }
  await run(go.command, ["get", "-tool", `${COMMAND}@v${version}`], building);
  await compile(go, version, join(staging, "bin", "pulumi"), building, options.progress);
  rmSync(source, { recursive: true });
  writeLaunchers(join(staging, "bin"));
}

async function goModOf(go: Go, version: string, options: FindOptions): Promise<GoMod> {
  const env = buildEnv(go.goRoot, undefined, options.env);
  const path = await download(go, version, options);
  return JSON.parse(await run(go.command, ["mod", "edit", "-json", path], { env })) as GoMod;
}

/** Path of the module's `go.mod` in Go's module cache. */
async function download(go: Go, version: string, options: FindOptions): Promise<string> {
  const env = buildEnv(go.goRoot, undefined, options.env);
  const answer = await run(go.command, ["mod", "download", "-json", `${MODULE}@v${version}`], { env });
  return (JSON.parse(answer) as { readonly GoMod: string }).GoMod;
}
