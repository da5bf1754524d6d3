import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { buildProgram } from "../engine/build-program";
import { at } from "../model/check";
import { issue, type Issue } from "../model/issues";
import type { Platform } from "../model/platform";
import {
  archOf,
  isFileRelease,
  isUrlRelease,
  platformsOf,
  resolveUrlRelease,
  type BuildRelease,
  type FileRelease,
  type ReleaseArch,
  type ReleaseVariant,
  type ResolvedRelease,
  type ServiceRelease,
} from "../model/service/release";
import { identityDifferences, type ProgramIdentity } from "../model/service/release-identity";
import { NoProgram, readProgram, type FoundProgram } from "../model/service/release-program";
import { messageOf } from "../model/thrown";

/** A release as a plan takes it, or everything that is wrong with its programs. */
export interface ServiceReleaseResult {
  /** Where there are no issues. */
  readonly release?: ResolvedRelease;
  readonly issues: readonly Issue[];
}

/**
 * The release of a service: what hosts fetch is taken as declared, a file of this machine is read and what is to be built
 * is built, and both must be what was declared. It waits for a build: a constructor cannot do otherwise.
 *
 * @param release one that `checkRelease` has no issue with
 * @param program the service's `exec[0]`
 * @param directory the project
 */
export function serviceRelease(
  path: string,
  release: ServiceRelease,
  program: string,
  directory = process.cwd(),
): ServiceReleaseResult {
  if (isUrlRelease(release)) return { release: resolveUrlRelease(release, program), issues: [] };
  const { identity = {} } = release;
  const sources = isFileRelease(release) ? filesOf(path, release) : built(path, release, program, directory);
  if ("issue" in sources) return { issues: [sources.issue] };
  const read = sources.map((source) => variantOf(source, identity, directory));
  const issues = read.flatMap((each) => ("path" in each ? [each] : []));
  const variants = read.flatMap((each) => ("path" in each ? [] : [each]));
  return issues.length > 0 ? { issues } : { release: { format: "file", program, variants, identity }, issues };
}

/** A program on this machine, and where the user said so. */
interface Source {
  readonly path: string;
  readonly file: string;
  /** The platform it is said to be for. */
  readonly platform?: Platform;
}

function filesOf(path: string, { file }: FileRelease): Source[] {
  const here = at(path, "file");
  if (typeof file === "string") return [{ path: here, file }];
  return platformsOf(file).map(([platform, each]) => ({ path: at(here, platform), file: each, platform }));
}

function built(path: string, { build }: BuildRelease, name: string, directory: string): Source[] | { issue: Issue } {
  const here = at(path, "build");
  try {
    return buildProgram(build, name, directory).map(({ platform, file }) => ({ path: here, file, platform }));
  } catch (error) {
    return { issue: issue(here, build.package, `a package that can be built here: ${messageOf(error)}`) };
  }
}

function variantOf(
  { path, file, platform }: Source,
  identity: ProgramIdentity,
  directory: string,
): ReleaseVariant | Issue {
  const refuse = (why: string): Issue => issue(path, file, why);
  let found: Read;
  try {
    found = readFile(resolve(directory, file));
  } catch (error) {
    return refuse(error instanceof NoProgram ? `a program for a host: this ${error.message}` : messageOf(error));
  }
  if (platform !== undefined && archOf(platform) !== found.arch) {
    return refuse(`a program for ${platform}: this is for linux-${found.arch}`);
  }
  const differences = identityDifferences(identity, found.identity);
  if (differences.length > 0) return refuse(`a program that is what was declared: ${differences.join("; ")}`);
  const arch: ReleaseArch = found.arch;
  return { arch, sha256: found.sha256, file };
}

interface Read extends FoundProgram {
  readonly sha256: string;
}

const CHUNK = 1024 * 1024;

/** The sha256 of a file, and what its program is; never all of it in memory. */
function readFile(path: string): Read {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new Error(missing ? `a file; there is no ${path}` : `a file that can be read: ${messageOf(error)}`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error("a file, not a directory or the like");
    const read = (from: number, count: number): Buffer => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(count, stat.size - from)));
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from));
    };
    const program = readProgram({ size: stat.size, read });
    const hash = createHash("sha256");
    for (let from = 0; from < stat.size; from += CHUNK) hash.update(read(from, CHUNK));
    return { ...program, sha256: hash.digest("hex") };
  } finally {
    closeSync(file);
  }
}
