import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import type { ProgramBuild } from "../model/service/release-build";
import type { BuiltProgram } from "./program-build";

/** The second one is where it is while the package runs from its sources. */
const FOLDERS = [__dirname, join(__dirname, "..", "..", "dist", "engine")];
const MAIN = "program-build-main.js";

/**
 * Builds a program and waits for it: a component's constructor must know the program's digest before it declares
 * anything, and cannot wait otherwise.
 *
 * @param name the file's name
 * @param directory the project
 * @throws {Error} with the last lines of what go said.
 */
export function buildProgram(build: ProgramBuild, name: string, directory: string): BuiltProgram[] {
  const main = FOLDERS.map((folder) => join(folder, MAIN)).find((path) => existsSync(path));
  if (main === undefined) throw new Error(`the package is incomplete: engine/${MAIN} is missing; build it`);
  const input = JSON.stringify({ build, name });
  const { error, status, stdout, stderr } = spawnSync(process.execPath, [main], {
    cwd: directory,
    input,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (stdout === "") throw new Error(`the build ended with exit code ${String(status)}: ${stderr.slice(-500).trim()}`);
  const answer = JSON.parse(stdout) as { readonly programs: BuiltProgram[] } | { readonly error: string };
  if ("error" in answer) throw new Error(answer.error);
  return answer.programs;
}
