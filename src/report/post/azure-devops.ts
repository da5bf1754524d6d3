import { Api } from "./api";
import { MOST_PAGES, type Comment, type Comments, type Place } from "./comments";
import { gone, type Credentials } from "./github";

const VERSION = "api-version=7.1";

interface Thread {
  readonly id: number;
  readonly comments: readonly {
    readonly id: number;
    readonly content?: string;
    readonly isDeleted?: boolean;
    readonly author: { readonly id: string };
  }[];
}

/**
 * Threads of a pull request on Azure DevOps; a report is a closed thread, so that it blocks no merge.
 *
 * @param scheme `bearer` for a pipeline's own token, `basic` for a personal access token
 * @see https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-threads
 */
export function azureDevops(
  { api: base, repository, pull, author }: Place,
  { token, scheme, ...rest }: Credentials & { readonly scheme: "bearer" | "basic" },
): Comments {
  const basic = Buffer.from(`:${token}`).toString("base64");
  const authorization = scheme === "basic" ? `Basic ${basic}` : `Bearer ${token}`;
  const api = new Api({ base, headers: { authorization }, secrets: [token, basic], ...rest });
  const [project = "", repo = ""] = repository.split("/").map(encodeURIComponent);
  const request = `${project}/_apis/git/repositories/${repo}/pullRequests/${pull}`;
  let self: Promise<string> | undefined;
  const ownId = async (): Promise<string> => {
    const { body } = await api.get("_apis/connectionData?api-version=7.1-preview");
    return (body as { authenticatedUser: { id: string } }).authenticatedUser.id;
  };
  const place = (id: string): string => {
    const [thread = "", comment = ""] = id.split("/");
    return `${request}/threads/${thread}/comments/${comment}?${VERSION}`;
  };
  return {
    style: "html",
    async list() {
      const me = await (self ??= author === undefined ? ownId() : Promise.resolve(author));
      const found: Comment[] = [];
      let token: string | null = "";
      for (let page = 0; token !== null && page < MOST_PAGES; page += 1) {
        const more = token === "" ? "" : `&continuationToken=${encodeURIComponent(token)}`;
        const { body, headers } = await api.get(`${request}/threads?${VERSION}${more}`);
        for (const thread of (body as { value: Thread[] }).value) {
          const first = thread.comments[0];
          if (first === undefined || first.isDeleted === true) continue;
          found.push({ id: `${thread.id}/${first.id}`, body: first.content ?? "", own: first.author.id === me });
        }
        token = headers.get("x-ms-continuationtoken");
      }
      return found;
    },
    create: async (content) => {
      const comments = [{ parentCommentId: 0, content, commentType: "text" }];
      await api.request("POST", `${request}/threads?${VERSION}`, { comments, status: "closed" });
    },
    update: async (id, content) => void (await api.request("PATCH", place(id), { content })),
    remove: (id) => gone(api.request("DELETE", place(id))),
    async head() {
      const { body } = await api.get(`${request}?${VERSION}`);
      return (body as { lastMergeSourceCommit: { commitId: string } }).lastMergeSourceCommit.commitId;
    },
  };
}
