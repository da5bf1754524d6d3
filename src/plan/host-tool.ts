import type { PlanBuild, PlanDownload } from "./host-plan";
import { recipeDigest } from "./recipe";

/** The source of a program that this package brings, and what builds it on the host. */
export interface HostToolSource {
  /** A Go module zip, on the operator's machine. */
  readonly file: string;
  /** Its `h1:`. */
  readonly checksum: string;
  /** A Go toolchain of at least 1.24, as `PlanBuild.goRoot` names it. */
  readonly goRoot: string;
}

/**
 * The program's source, built where it runs. It needs the standard library alone, so nothing is fetched for it.
 *
 * @param kind leads the download's name: `store`
 * @param output the program: `gofleet-store`
 */
export function hostToolDownload(kind: string, output: string, source: HostToolSource): PlanDownload {
  const { file, checksum, goRoot } = source;
  const build: PlanBuild = { package: ".", output, goRoot, env: { GOPROXY: "off" } };
  const digest = Buffer.from(checksum.replace(/^h1:/, ""), "base64").toString("hex").slice(0, 12);
  return {
    name: `${kind}-${digest}-${recipeDigest(build)}`,
    format: "module",
    variants: [{ arch: "any", checksum, urls: [], file }],
    build,
  };
}
