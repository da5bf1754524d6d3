import { isFields } from "../../check";
import { checkFields, required, secretLine, url, whole, type FieldSpecs, type ValueCheck } from "../../field-checks";
import { issue } from "../../issues";
import type { Duration } from "../../units";
import { checkCredential, checkLabels, isServer, withoutSlash, type ResolvedForge } from "./forge";
import { agentProgram, checkRelease, RELEASE_WANTED, type AgentRelease } from "./release";
import { checkWithin } from "./stop";

/**
 * Runners of GitLab, with the shell executor: each is made for one job, with a token of its own, and deleted after it.
 *
 * @see https://docs.gitlab.com/runner/commands/#gitlab-runner-run-single
 */
export interface GitlabAgent<Value = string> {
  readonly kind: "gitlab";
  /** Whose jobs they take: those of a group or a project, by its number, or all of the instance. */
  readonly scope: GitlabScope;
  /**
   * A token (personal, of the group or of the project) that may create and delete the scope's runners: `api`, or
   * `create_runner` and `manage_runner`. It stays with root on the hosts; no job can read it.
   */
  readonly credential: { readonly token: Value };
  /** 17.1.0 or newer; https://gitlab.com/gitlab-org/gitlab-runner/-/releases, with checksums in `release.sha256`. */
  readonly runner: AgentRelease;
  /** Jobs without one of these tags are not taken. */
  readonly tags: readonly string[];
  /**
   * A GitLab of one's own.
   * @default "https://gitlab.com"
   */
  readonly url?: string;
  /**
   * How long a job may go on when its slot is to stop.
   * @default { within: "2 min" }
   */
  readonly stop?: { readonly within?: Duration };
}

/** Whose jobs runners take: of a group or a project by its number, or of the whole instance. */
export type GitlabScope = { readonly group: number } | { readonly project: number } | "instance";

export function resolveGitlab({
  url: given = "https://gitlab.com",
  scope,
  ...agent
}: GitlabAgent<unknown>): ResolvedForge {
  const url = withoutSlash(given);
  return {
    kind: "gitlab",
    url,
    api: `${url}/api/v4`,
    scope: scope === "instance" ? scope : "group" in scope ? `group/${scope.group}` : `project/${scope.project}`,
    labels: agent.tags,
    group: 0,
    app: "",
    installation: 0,
    program: agentProgram(agent.runner, {
      name: "gitlab-runner",
      format: "file",
      from: (version) => `https://s3.dualstack.us-east-1.amazonaws.com/gitlab-runner-downloads/v${version}/binaries`,
      file: (_, arch) => `gitlab-runner-linux-${arch}`,
    }),
    writesBeside: false,
  };
}

export function gitlabFields(isUnknown: (value: unknown) => boolean): FieldSpecs {
  return {
    scope: required('{ group: 12 }, { project: 34 } or "instance"', checkScope(isUnknown)),
    credential: required(
      "what may manage runners, { token }",
      checkCredential({ token: required("a token", secretLine) }, ["token"], isUnknown),
    ),
    runner: required(RELEASE_WANTED, checkRunner(isUnknown)),
    tags: required("tags of the jobs that they take", checkLabels('tags, such as ["go"]', isUnknown)),
    url: url("the https URL of a GitLab, without a path", isServer),
    stop: checkWithin(isUnknown),
  };
}

function checkScope(isUnknown: (value: unknown) => boolean): ValueCheck {
  const number = whole(1, Number.MAX_SAFE_INTEGER, "its number");
  return (path, given) => {
    if (given === "instance") return [];
    const [key = "", ...more] = isFields(given) ? Object.keys(given) : [];
    return ["group", "project"].includes(key) && more.length === 0
      ? checkFields(path, given, { [key]: number }, isUnknown)
      : [issue(path, given, '{ group: 12 }, { project: 34 } or "instance"')];
  };
}

/** The first that can run one job by a file of settings. */
const OLDEST = [17, 1] as const;

function checkRunner(isUnknown: (value: unknown) => boolean): ValueCheck {
  const release = checkRelease(isUnknown);
  return (path, given) => {
    const issues = release(path, given);
    if (issues.length > 0 || !isFields(given) || typeof given["version"] !== "string") return issues;
    const [major = 0, minor = 0] = given["version"].split(".").map(Number);
    const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
    return isOld ? [issue(`${path}.version`, given["version"], "17.1.0 or newer")] : [];
  };
}
