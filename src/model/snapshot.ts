import { createHash } from "node:crypto";
import type { Parsed } from "./check";
import { issue } from "./issues";

/** What names a snapshot. None of it is a clock: the same commit in the same CI run has the same name. */
export interface SnapshotSource {
  /** The environment of the run; CI systems describe themselves in it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `git describe --tags --long --always --dirty --abbrev=12` prints. */
  readonly describe: string;
  /** The commit's time in ISO 8601, as `git log -1 --format=%cI` prints it. */
  readonly commitTime: string;
}

/** A Kubernetes label, and most clouds' tags. See https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/. */
const LABEL_LIMIT = 63;

const DESCRIBED = /^(?:(?<tag>\S+)-(?<ahead>\d+)-g)?(?<commit>[0-9a-f]{7,64})(?<dirty>-dirty)?$/;
/** See https://semver.org. */
const SEMVER = /^v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)$/;

/**
 * `v1.4.2-3-g0123456789ab.20261121T133700Z.github-4711-1`: the version by the last tag with how far the commit is from
 * it, the commit's time in UTC, and the CI run. Of letters, digits, `.`, `_` and `-`, at most 63
 * characters; a longer one is cut and ends in a digest of the whole. A work tree with changes has no name.
 */
export function snapshotId({ env, describe, commitTime }: SnapshotSource): Parsed<string> {
  const { tag = "", ahead = "", commit = "", dirty } = DESCRIBED.exec(describe.trim())?.groups ?? {};
  if (commit === "") return { issue: issue("describe", describe, "what `git describe --tags --long --always` prints") };
  if (dirty !== undefined)
    return { issue: issue("describe", describe, "a commit: changes that are not in one have no name") };
  const time = new Date(commitTime);
  if (Number.isNaN(time.getTime())) return { issue: issue("commitTime", commitTime, "the commit's time in ISO 8601") };
  const version = SEMVER.exec(tag)?.[1];
  const release = version !== undefined && ahead === "0";
  const parts = [
    `v${version ?? "0.0.0"}${release ? "" : `-${version === undefined ? "" : `${ahead}-`}g${commit}`}`,
    time
      .toISOString()
      .replace(/\.\d+Z$/, "Z")
      .replace(/[-:]/g, ""),
    ciRun(env),
  ];
  return { value: fitted(parts.filter((part) => part !== "").join(".")) };
}

/** A CI system by a variable only it sets, and its variables that number the run. */
const CI: readonly (readonly [name: string, sign: string, numbers: readonly string[]])[] = [
  // https://docs.github.com/en/actions/reference/workflows-and-actions/variables
  ["github", "GITHUB_ACTIONS", ["GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"]],
  // https://docs.gitlab.com/ci/variables/predefined_variables/
  ["gitlab", "GITLAB_CI", ["CI_PIPELINE_ID"]],
  // https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
  ["azure", "TF_BUILD", ["BUILD_BUILDID"]],
  // https://buildkite.com/docs/pipelines/configure/environment-variables
  ["buildkite", "BUILDKITE", ["BUILDKITE_BUILD_NUMBER"]],
  // https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
  ["jenkins", "JENKINS_URL", ["BUILD_NUMBER"]],
];

function ciRun(env: SnapshotSource["env"]): string {
  const [name, , numbers = []] = CI.find(([, sign]) => (env[sign] ?? "") !== "") ?? [];
  return name === undefined
    ? ""
    : [name, ...numbers.map((key) => env[key] ?? "")].filter((part) => part !== "").join("-");
}

const DIGEST = 8;

function fitted(text: string): string {
  const clean = text.replace(/[^0-9A-Za-z._-]/g, "-");
  if (clean.length <= LABEL_LIMIT) return clean;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, DIGEST);
  return `${clean.slice(0, LABEL_LIMIT - DIGEST - 1).replace(/[^0-9A-Za-z]+$/, "")}-${digest}`;
}
