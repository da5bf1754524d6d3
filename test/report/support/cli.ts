import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { REPOSITORY } from "../../support/engine/project";

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const TSX = pathToFileURL(require.resolve("tsx")).href;

/** Runs the command line of the sources under test. */
export function gofleet(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", TSX, join(REPOSITORY, "src/cli/main.ts"), ...args], {
      cwd,
      env,
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (err += data.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}
