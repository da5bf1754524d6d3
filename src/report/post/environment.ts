import type { Run } from "./marker";

/** The forges that a report can be posted to. */
export const POST_FORGES = ["github", "gitlab", "azure-devops", "bitbucket"] as const;
export type PostForge = (typeof POST_FORGES)[number];

/** What a CI job says of itself; empty where it does not. */
export interface CiContext {
  readonly api: string;
  readonly repository: string;
  readonly pull: string;
  readonly commit: string;
  readonly run: Run;
  readonly token: string;
  /** For Azure DevOps: the kind of token. */
  readonly scheme: "bearer" | "basic";
}

/** Variables that tokens are read from, the first one that is set. */
export const TOKENS: Readonly<Record<PostForge, readonly string[]>> = {
  github: ["GITHUB_TOKEN", "GH_TOKEN"],
  gitlab: ["GITLAB_TOKEN"],
  "azure-devops": ["SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_TOKEN"],
  bitbucket: ["BITBUCKET_TOKEN"],
};

type Env = Readonly<Record<string, string | undefined>>;

/** What GitHub writes about the event that started a workflow, as far as it is needed. */
interface GithubEvent {
  readonly pull_request?: { readonly number: number; readonly head: { readonly sha: string } };
}

/**
 * Reads what the forges' own CI sets:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables,
 * https://docs.gitlab.com/ci/variables/predefined_variables/,
 * https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables,
 * https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/.
 *
 * @param readEvent gives the text of the file GITHUB_EVENT_PATH
 */
export function ciContext(forge: PostForge, env: Env, readEvent: (path: string) => string): CiContext {
  const of = (name: string): string => env[name] ?? "";
  const tokenName = TOKENS[forge].find((name) => of(name) !== "");
  const token = tokenName === undefined ? "" : of(tokenName);
  const scheme = tokenName === "AZURE_DEVOPS_TOKEN" ? "basic" : "bearer";
  const run = (number: string, attempt = "1"): Run => ({ number: Number(number) || 0, attempt: Number(attempt) || 1 });
  switch (forge) {
    case "github": {
      const path = of("GITHUB_EVENT_PATH");
      const event = path === "" ? {} : (JSON.parse(readEvent(path)) as GithubEvent);
      return {
        api: of("GITHUB_API_URL") || "https://api.github.com",
        repository: of("GITHUB_REPOSITORY"),
        pull: String(event.pull_request?.number ?? ""),
        // GITHUB_SHA is the merge with the base branch, which nobody has on their machine.
        commit: event.pull_request?.head.sha ?? of("GITHUB_SHA"),
        run: run(of("GITHUB_RUN_NUMBER"), of("GITHUB_RUN_ATTEMPT")),
        token,
        scheme,
      };
    }
    case "gitlab":
      return {
        api: of("CI_API_V4_URL") || "https://gitlab.com/api/v4",
        repository: of("CI_PROJECT_ID"),
        pull: of("CI_MERGE_REQUEST_IID"),
        // In a pipeline of merged results CI_COMMIT_SHA is the merge.
        commit: of("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") || of("CI_COMMIT_SHA"),
        run: run(of("CI_PIPELINE_IID")),
        token,
        scheme,
      };
    case "azure-devops":
      return {
        api: of("SYSTEM_COLLECTIONURI"),
        repository: [of("SYSTEM_TEAMPROJECT"), of("BUILD_REPOSITORY_ID")].filter((part) => part !== "").join("/"),
        pull: of("SYSTEM_PULLREQUEST_PULLREQUESTID"),
        commit: of("SYSTEM_PULLREQUEST_SOURCECOMMITID") || of("BUILD_SOURCEVERSION"),
        run: run(of("BUILD_BUILDID"), of("SYSTEM_JOBATTEMPT")),
        token,
        scheme,
      };
    case "bitbucket":
      return {
        api: "https://api.bitbucket.org/2.0",
        repository: of("BITBUCKET_REPO_FULL_NAME"),
        pull: of("BITBUCKET_PR_ID"),
        commit: of("BITBUCKET_COMMIT"),
        run: run(of("BITBUCKET_BUILD_NUMBER")),
        token,
        scheme,
      };
  }
}
