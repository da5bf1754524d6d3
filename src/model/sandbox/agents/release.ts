import { isFields } from "../../check";
import { parseSha256 } from "../../checksum";
import { checkFields, matching, parsed, required, url, type ValueCheck } from "../../field-checks";
import { issue } from "../../issues";

/** A version of an agent's program, by the checksums that its makers publish with it. */
export interface AgentRelease {
  /** Such as `2.336.0`. */
  readonly version: string;
  /** sha256 of what is downloaded, 64 hex digits, for each architecture that the hosts have. */
  readonly sha256: { readonly amd64?: string; readonly arm64?: string };
  /**
   * Directory to download from, under the makers' own file names.
   * @default where the makers publish it
   */
  readonly from?: string;
}

/** What is downloaded. */
export interface AgentProgram {
  /** Directory name on the host, with the version. */
  readonly name: string;
  readonly format: "tar.gz" | "file";
  readonly files: readonly { readonly arch: Architecture; readonly sha256: string; readonly url: string }[];
  /** Package of the distribution that it needs; undefined: none. */
  readonly package?: string;
  /** Exit code with which it ends when it is asked to; undefined: 0. */
  readonly endsWith?: number;
}

export type Architecture = "amd64" | "arm64";

const ARCHITECTURES: readonly Architecture[] = ["amd64", "arm64"];

/** How an agent's makers name what they publish. */
export interface Published {
  /** Leads the directory's name on the host. */
  readonly name: string;
  readonly format: AgentProgram["format"];
  readonly from: (version: string) => string;
  readonly file: (version: string, arch: Architecture) => string;
}

export function agentProgram({ version, sha256, from }: AgentRelease, published: Published): AgentProgram {
  const directory = (from ?? published.from(version)).replace(/\/+$/, "");
  return {
    name: `${published.name}-${version}`,
    format: published.format,
    files: ARCHITECTURES.flatMap((arch) => {
      const sum = sha256[arch];
      const file = published.file(version, arch);
      return sum === undefined ? [] : [{ arch, sha256: sum.toLowerCase(), url: `${directory}/${file}` }];
    }),
  };
}

export function checkRelease(isUnknown: (value: unknown) => boolean): ValueCheck {
  return (path, given) =>
    checkFields(
      path,
      given,
      {
        version: required("a version", matching(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/, 'a version such as "2.336.0"')),
        sha256: required("the checksums that the makers publish, such as { amd64: … }", (here, sums) => {
          if (isFields(sums) && ARCHITECTURES.every((arch) => sums[arch] === undefined)) {
            return [issue(here, sums, "a checksum for amd64, arm64 or both")];
          }
          return checkFields(here, sums, { amd64: parsed(parseSha256), arm64: parsed(parseSha256) }, isUnknown);
        }),
        from: url("the http or https URL of a directory", ({ search, hash }) => search === "" && hash === ""),
      },
      isUnknown,
    );
}

export const RELEASE_WANTED = 'the version of its program, { version: "…", sha256: { amd64: "…" } }';
