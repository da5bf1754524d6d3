import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fields } from "../model/check";
import { parseH1 } from "../model/checksum";
import { PLATFORMS, type Platform } from "../model/platform";
import { toolchainModule } from "../model/toolchain";
import { firstLine, jsonObjects, why } from "./go-answers";
import type { Reached } from "./release-index";

const MODULE = "golang.org/toolchain";

/** A toolchain module is 60 to 80 MB; a slow line must be able to bring two of them. */
const TIMEOUT = 15 * 60_000;

/** More patch releases than any Go major has had. */
const MOST_PATCHES = 30;

/** The `go` command on PATH, used as a client of module proxy and checksum database. */
export class GoCommand {
  /** Finds `go` and makes sure that it checks modules against a checksum database. */
  static async find(): Promise<Reached<GoCommand>> {
    const go = new GoCommand();
    const { stdout, problem } = await go.run(["env", "GOSUMDB"]);
    if (problem) return { problem };
    if (stdout.trim() === "off") return { problem: "GOSUMDB=off, so nothing would vouch for a checksum" };
    return { value: go };
  }

  /** The h1 of a release's modules, verified; what could not be had comes with its reason. */
  async checksums(version: string, platforms: readonly Platform[]): Promise<ReadonlyMap<Platform, Reached<string>>> {
    const names = platforms.map((platform) => `${MODULE}@${toolchainModule(version, platform)}`);
    const { stdout, problem } = await this.run(["mod", "download", "-json", ...names]);
    const answers = jsonObjects(stdout);
    return new Map(
      platforms.map((platform) => {
        const answer = answers.find((each) => each.Version === toolchainModule(version, platform));
        return [platform, h1Of(answer, problem)] as const;
      }),
    );
  }

  /** The patch releases of a major that the module proxy knows on some platform. */
  async releases(major: string): Promise<readonly string[]> {
    const known = Array.from({ length: MOST_PATCHES }, (_, patch) => `${major}.${patch}`);
    const names = known.map((version) => `${MODULE}@${toolchainModule(version, PLATFORMS[0])}`);
    const { stdout } = await this.run(["list", "-m", "-e", "-json", ...names]);
    const found = jsonObjects(stdout).filter((answer) => answer.Error === undefined && answer.Time !== undefined);
    return known.filter((version) => found.some((answer) => answer.Version === toolchainModule(version, PLATFORMS[0])));
  }

  private async run(args: readonly string[]): Promise<{ readonly stdout: string; readonly problem?: string }> {
    // An empty directory: no go.mod of the project may change what is asked for.
    const cwd = mkdtempSync(join(tmpdir(), "gofleet-lock-"));
    // "none" takes every module to the checksum database, whatever GOPRIVATE says (go help module-private).
    const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod", GOWORK: "off", GONOSUMDB: "none" };
    try {
      return await new Promise((resolve) => {
        const options = { cwd, env, timeout: TIMEOUT, maxBuffer: 16 * 2 ** 20 };
        execFile("go", args, options, (error, stdout, stderr) => {
          resolve(error ? { stdout, problem: why(error, stderr, TIMEOUT) } : { stdout });
        });
      });
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  }
}

function h1Of(answer: Fields | undefined, problem: string | undefined): Reached<string> {
  if (typeof answer?.Error === "string") return { problem: firstLine(answer.Error) };
  const parsed = parseH1("Sum", answer?.Sum);
  return parsed.issue ? { problem: problem ?? "go mod download gave no checksum" } : { value: parsed.value };
}
