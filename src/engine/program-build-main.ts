import { readFileSync } from "node:fs";
import type { ProgramBuild } from "../model/service/release-build";
import { messageOf } from "../model/thrown";
import { lockedReleases } from "./locked";
import { buildPrograms } from "./program-build";

/** Run by build-program.ts: the build as JSON on standard input, programs or an error as JSON on standard output. */
interface Request {
  readonly build: ProgramBuild;
  readonly name: string;
}

async function main(): Promise<void> {
  const { build, name } = JSON.parse(readFileSync(0, "utf8")) as Request;
  const projectDir = process.cwd();
  const releases = lockedReleases(projectDir);
  const options = { env: process.env, projectDir, progress: () => undefined, releases };
  const answer = await buildPrograms(build, name, options).then(
    (programs) => ({ programs }),
    (error: unknown) => ({ error: messageOf(error) }),
  );
  process.stdout.write(JSON.stringify(answer));
}

void main();
