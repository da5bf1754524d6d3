import { Api, ApiError, type ApiSettings } from "./api";
import { MOST_PAGES, type Comment, type Comments, type Place } from "./comments";
import { sameCommit } from "./marker";

export type Credentials = Pick<ApiSettings, "patience" | "wait"> & { readonly token: string };

/** Who posts with the token of a workflow, which may not ask for its own name. */
const WORKFLOW = "github-actions[bot]";

interface GithubComment {
  readonly id: number;
  readonly body?: string;
  readonly user: { readonly login: string } | null;
}

/** Comments of a pull request on GitHub. See https://docs.github.com/en/rest/issues/comments. */
export function github({ api: base, repository, pull, author }: Place, credentials: Credentials): Comments {
  const api = githubApi(base, credentials);
  let self: Promise<string> | undefined;
  return {
    style: "html",
    async list() {
      const name = await (self ??= author === undefined ? ownName(api) : Promise.resolve(author));
      const found: Comment[] = [];
      let next: string | undefined = `repos/${repository}/issues/${pull}/comments?per_page=100`;
      for (let page = 0; next !== undefined && page < MOST_PAGES; page += 1) {
        const { body, headers } = await api.get(next);
        for (const { id, body: text = "", user } of body as GithubComment[]) {
          found.push({ id: String(id), body: text, own: user?.login === name });
        }
        next = /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
      }
      return found;
    },
    create: async (body) => void (await api.request("POST", `repos/${repository}/issues/${pull}/comments`, { body })),
    update: async (id, body) =>
      void (await api.request("PATCH", `repos/${repository}/issues/comments/${id}`, { body })),
    remove: (id) => gone(api.request("DELETE", `repos/${repository}/issues/comments/${id}`)),
    async head() {
      const { body } = await api.get(`repos/${repository}/pulls/${pull}`);
      return (body as { head: { sha: string } }).head.sha;
    },
  };
}

/**
 * The open pull request of a branch whose newest commit is `commit`: how a workflow that runs after another one, without
 * its pull request's own word, learns where to post.
 *
 * @param head `owner:branch`
 * @returns undefined where the branch has moved on: its newer commit has a run of its own
 * @throws ApiError where the branch has no open pull request
 */
export async function findPull(
  { api: base, repository }: Pick<Place, "api" | "repository">,
  head: string,
  commit: string,
  credentials: Credentials,
): Promise<string | undefined> {
  const query = new URLSearchParams({ state: "open", head, per_page: "100" });
  const { body } = await githubApi(base, credentials).get(`repos/${repository}/pulls?${query.toString()}`);
  const open = body as { number: number; head: { sha: string } }[];
  if (open.length === 0) throw new ApiError(`${head} has no open pull request in ${repository}`, 404);
  const found = open.find((each) => sameCommit(each.head.sha, commit));
  return found && String(found.number);
}

function githubApi(base: string, { token, ...rest }: Credentials): Api {
  const headers = {
    accept: "application/vnd.github+json",
    authorization: `Bearer ${token}`,
    "user-agent": "gofleet",
    "x-github-api-version": "2022-11-28",
  };
  return new Api({ base, headers, secrets: [token], ...rest });
}

async function ownName(api: Api): Promise<string> {
  try {
    const { body } = await api.get("user");
    return (body as { login: string }).login;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return WORKFLOW;
    throw error;
  }
}

/** A removal: what another run has removed already is as good. */
export async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 410)) throw error;
  }
}
