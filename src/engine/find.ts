import { delimiter, dirname, join } from "node:path";

import { buildEngine } from "./build";
import { cacheDir, fillOnce } from "./cache";
import { executable, hasLaunchers, launchersOnPath, which, writeLaunchers } from "./launcher";
import { downloadEngine } from "./npm-package";
import type { EngineMaker, FindOptions } from "./options";
import { CommandFailed, run } from "./run";
import { ACCEPTED, accepted, ENGINE_VERSION } from "./version";
import { messageOf } from "../model/thrown";

/** A Pulumi CLI that is there and answers. */
export interface Engine {
  /** Absolute path of the `pulumi` executable. */
  readonly command: string;
  /** What `pulumi version` printed, without the `v`. */
  readonly version: string;
  /** The directory whose `bin/pulumi` it is; undefined for one that PATH leads to. */
  readonly root: string | undefined;
  /** Where it came from. */
  readonly origin: "PATH" | "cache" | "npm package" | "Go module";
  /** Directories to put in front of PATH: the CLI's own and the one with launchers of our own. */
  readonly pathDirs: readonly string[];
}

/** The two ways to get an engine that is not there yet, in the order in which they are tried. */
const MAKERS: readonly (readonly [Engine["origin"], EngineMaker])[] = [
  ["npm package", downloadEngine],
  ["Go module", buildEngine],
];

/** No engine was found, and none could be had; `message` lists everything that was tried and why it did not do. */
export class NoEngine extends Error {
  constructor(readonly tried: readonly string[]) {
    super(
      `no Pulumi CLI (${ACCEPTED}) was found and none could be installed. Tried:\n` +
        tried.map((each) => `- ${each.replaceAll("\n", "\n  ")}`).join("\n") +
        "\nAny one of these will do:\n" +
        "- the Pulumi CLI on PATH\n" +
        "- a way to the npm registry and the Pulumi downloads\n" +
        "- GOPROXY set to a Go module proxy that this machine can reach",
    );
    this.name = "NoEngine";
  }
}

/**
 * Finds a Pulumi CLI: on PATH, in the cache, downloaded by the npm package `pulumi`, or built from its Go module.
 *
 * @param makers how to get one that is not there; tests give their own
 * @throws {NoEngine} listing everything that was tried.
 * @see https://www.pulumi.com/docs/iac/download-install/
 */
export async function findEngine(options: FindOptions, makers = MAKERS): Promise<Engine> {
  const tried: string[] = [];
  const onPath = await engineOnPath(options, tried);
  if (onPath) return onPath;

  const dir = join(cacheDir(options.env, options.projectDir), "engine", ENGINE_VERSION);
  const command = join(dir, "bin", "pulumi");
  let origin: Engine["origin"] = "cache";
  for (const [name, make] of makers) {
    if (executable(command)) break;
    try {
      await fillOnce(
        dir,
        () => executable(command),
        options.progress,
        async (staging) => {
          await make(staging, options);
          await finish(join(staging, "bin"), options);
          origin = name;
        },
      );
    } catch (error) {
      if (options.signal?.aborted) throw error;
      tried.push(`${name}: ${messageOf(error)}`);
    }
  }
  if (!executable(command)) throw new NoEngine(tried);
  // An earlier version of this package may have filled the cache, with fewer of them.
  if (!hasLaunchers(dirname(command))) writeLaunchers(dirname(command));
  return { command, version: ENGINE_VERSION, root: dir, origin, pathDirs: [dirname(command)] };
}

/** PATH with the engine's directories in front. */
export function enginePath(engine: Engine, path: string | undefined): string {
  return [...engine.pathDirs, ...(path ? [path] : [])].join(delimiter);
}

async function engineOnPath(options: FindOptions, tried: string[]): Promise<Engine | undefined> {
  const command = which("pulumi", options.env["PATH"]);
  if (!command) {
    tried.push("PATH: no pulumi on it");
    return undefined;
  }
  try {
    const version = await versionOf(command, options);
    if (accepted(version)) {
      const pathDirs = [dirname(command), ...(await launcherDir(options))];
      return { command, version, root: undefined, origin: "PATH", pathDirs };
    }
    tried.push(`PATH: ${command} is version ${version || "unknown"}, wanted ${ACCEPTED}`);
  } catch (error) {
    tried.push(`PATH: ${command} does not answer: ${messageOf(error)}`);
  }
  return undefined;
}

/** The directory of our own launchers, where PATH lacks one (a CLI that was not installed from the official archive). */
async function launcherDir(options: FindOptions): Promise<readonly string[]> {
  if (launchersOnPath(options.env["PATH"])) return [];
  const dir = join(cacheDir(options.env, options.projectDir), "launcher");
  const present = () => hasLaunchers(dir);
  await fillOnce(dir, present, options.progress, async (staging) => writeLaunchers(staging));
  return [dir];
}

/** Checks what a maker left in `bin`, and adds the launcher where it brought none. */
async function finish(bin: string, options: FindOptions): Promise<void> {
  const version = await versionOf(join(bin, "pulumi"), options);
  if (!accepted(version))
    throw new Error(`what was installed says version ${version || "unknown"}, wanted ${ACCEPTED}`);
  if (!hasLaunchers(bin)) writeLaunchers(bin);
}

const ANSWER_WITHIN = 60_000;

async function versionOf(command: string, { env, signal }: FindOptions): Promise<string> {
  const answer = await run(command, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeout: ANSWER_WITHIN,
    signal,
  });
  const version = /^v?(\d+\.\d+\.\d+\S*)\s*$/m.exec(answer)?.[1];
  if (!version) throw new CommandFailed(`${command} version: no version in ${JSON.stringify(answer.slice(0, 80))}`);
  return version;
}
