import { Api } from "./api";
import { MOST_PAGES, type Comment, type Comments, type Place } from "./comments";
import { gone, type Credentials } from "./github";

interface Page {
  readonly next?: string;
  readonly values: readonly {
    readonly id: number;
    readonly deleted?: boolean;
    readonly inline?: unknown;
    readonly content: { readonly raw: string };
    readonly user: { readonly uuid: string } | null;
  }[];
}

/**
 * Comments of a pull request on Bitbucket Cloud.
 *
 * @see https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
 */
export function bitbucket({ api: base, repository, pull, author }: Place, { token, ...rest }: Credentials): Comments {
  const api = new Api({ base, headers: { authorization: `Bearer ${token}` }, secrets: [token], ...rest });
  const request = `repositories/${repository}/pullrequests/${pull}`;
  let self: Promise<string> | undefined;
  const ownId = async (): Promise<string> => ((await api.get("user")).body as { uuid: string }).uuid;
  return {
    // It shows HTML as text.
    style: "reference",
    async list() {
      const me = await (self ??= author === undefined ? ownId() : Promise.resolve(author));
      const found: Comment[] = [];
      let next: string | undefined = `${request}/comments?pagelen=100&sort=created_on`;
      for (let page = 0; next !== undefined && page < MOST_PAGES; page += 1) {
        const answer = (await api.get(next)).body as Page;
        for (const { id, deleted, inline, content, user } of answer.values) {
          if (deleted === true || inline !== undefined) continue;
          found.push({ id: String(id), body: content.raw, own: user?.uuid === me });
        }
        next = answer.next;
      }
      return found;
    },
    create: async (raw) => void (await api.request("POST", `${request}/comments`, { content: { raw } })),
    update: async (id, raw) => void (await api.request("PUT", `${request}/comments/${id}`, { content: { raw } })),
    remove: (id) => gone(api.request("DELETE", `${request}/comments/${id}`)),
    head: async () => ((await api.get(request)).body as { source: { commit: { hash: string } } }).source.commit.hash,
  };
}
