import { Api } from "./api";
import { withoutCommands } from "./body";
import { MOST_PAGES, type Comment, type Comments, type Place } from "./comments";
import { gone, type Credentials } from "./github";

interface Note {
  readonly id: number;
  readonly body: string;
  readonly system: boolean;
  readonly author: { readonly id: number; readonly username: string };
}

/** Notes of a merge request on GitLab. See https://docs.gitlab.com/api/notes/#merge-requests. */
export function gitlab({ api: base, repository, pull, author }: Place, { token, ...rest }: Credentials): Comments {
  const api = new Api({ base, headers: { "private-token": token }, secrets: [token], ...rest });
  const request = `projects/${encodeURIComponent(repository)}/merge_requests/${pull}`;
  let self: Promise<string> | undefined;
  const ownId = async (): Promise<string> => String(((await api.get("user")).body as { id: number }).id);
  return {
    style: "html",
    async list() {
      const me = await (self ??= author === undefined ? ownId() : Promise.resolve(author));
      const found: Comment[] = [];
      let next = "1";
      for (let page = 0; next !== "" && page < MOST_PAGES; page += 1) {
        const query = `per_page=100&order_by=created_at&sort=asc&page=${encodeURIComponent(next)}`;
        const { body, headers } = await api.get(`${request}/notes?${query}`);
        for (const { id, body: text, system, author: by } of body as Note[]) {
          found.push({ id: String(id), body: text, own: !system && [String(by.id), by.username].includes(me) });
        }
        next = headers.get("x-next-page") ?? "";
      }
      return found;
    },
    create: async (body) => void (await api.request("POST", `${request}/notes`, { body: withoutCommands(body) })),
    update: async (id, body) =>
      void (await api.request("PUT", `${request}/notes/${id}`, { body: withoutCommands(body) })),
    remove: (id) => gone(api.request("DELETE", `${request}/notes/${id}`)),
    head: async () => ((await api.get(request)).body as { sha: string }).sha,
  };
}
