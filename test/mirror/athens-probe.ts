import { spawnSync } from "node:child_process";
import { athensProbe } from "../support/athens";
import { asUnit, writeFiles } from "./athens-server";
import type { AthensArgs } from "../../src/model/mirror/athens";
import type { AthensPaths } from "../../src/model/mirror/athens-paths";

/** The configuration that Athens would run with, by variable; or why it would not run. */
export interface Understood {
  readonly error?: string;
  /** One value for each place in the configuration that the variable sets. */
  readonly values: Readonly<Record<string, readonly unknown[]>>;
  /** Keys of the file that mean nothing to Athens. */
  readonly unknown: readonly string[];
}

/** What Athens says of a download mode file. */
export interface UnderstoodMode {
  readonly error?: string;
  readonly mode: string;
  readonly url: string;
  readonly modules: Readonly<Record<string, { readonly mode: string; readonly url: string }>>;
}

/** Names of all variables that are tagged in Athens' source, and ATHENS_TIMEOUT. */
export async function taggedVariables(): Promise<string[]> {
  return JSON.parse(output(await athensProbe(), ["variables"])) as string[];
}

/** What Athens understands of our files for these settings, secrets included. */
export async function understood(folder: string, args: AthensArgs): Promise<Understood> {
  return understoodFiles(writeFiles(folder, args).paths);
}

/** What Athens understands of the files that are there. */
export async function understoodFiles(paths: AthensPaths): Promise<Understood> {
  const { args, env } = asUnit(paths, await athensProbe(), "config", paths.config);
  return { values: {}, unknown: [], ...(JSON.parse(output("sh", args, env)) as Partial<Understood>) };
}

/** What Athens says of these download mode files and modules. */
export async function understoodModes(
  files: readonly string[],
  ...modules: readonly string[]
): Promise<UnderstoodMode[]> {
  return JSON.parse(output(await athensProbe(), ["modes", ...modules], {}, JSON.stringify(files))) as UnderstoodMode[];
}

/** What Athens' TOML library reads. */
export async function understoodToml(files: readonly string[]): Promise<unknown[]> {
  return JSON.parse(output(await athensProbe(), ["toml"], {}, JSON.stringify(files))) as unknown[];
}

function output(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ""): string {
  const { status, stdout, stderr } = spawnSync(program, args, { env, input, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}
