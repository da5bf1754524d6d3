import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PostForge } from "../../../src/report/post/environment";

export const TOKEN = "token-that-nobody-may-see";
export const HEAD = "b".repeat(40);

export interface Stored {
  readonly id: number;
  body: string;
  readonly author: string;
}

/** An answer that a test puts before the real one. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** True: the request is carried out, and then answered like this. */
  readonly after?: boolean;
}

/** One pull request, number 7, with its comments, behind the API of a forge. */
export class FakeForge {
  comments: Stored[] = [];
  head = HEAD;
  /** Comments a page. */
  page = 100;
  /** Most characters of a comment. */
  longest = Number.POSITIVE_INFINITY;
  /** Whether the token may ask whose it is. */
  knowsItself = true;
  /** `METHOD path`, in order. */
  readonly requests: string[] = [];
  /** Called before each request: refuses it, or changes what there is, as another run would. */
  before: (request: string) => Refusal | undefined = () => undefined;
  private readonly server: Server;
  private next = 1;

  constructor(readonly forge: PostForge) {
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get repository(): string {
    return this.forge === "gitlab" ? "group/fleet" : "corp/fleet";
  }

  /** The account of the token, as the forge names it in a comment. */
  get self(): string {
    return { github: "gofleet-bot", gitlab: "42", "azure-devops": "id-42", bitbucket: "{42}" }[this.forge];
  }

  add(body: string, author = this.self): Stored {
    const stored = { id: this.next++, body, author };
    this.comments.push(stored);
    return stored;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const line = `${request.method ?? ""} ${request.url ?? ""}`;
    this.requests.push(line);
    const refused = this.before(line);
    const answer =
      refused !== undefined && refused.after !== true
        ? refused
        : this.authorized(request)
          ? this.answer(line, text === "" ? {} : JSON.parse(text))
          : { status: 401, body: { message: "Bad credentials" } };
    const { status, headers = {}, body } = refused?.after === true ? refused : answer;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? "" : JSON.stringify(body));
  }

  private authorized({ headers }: IncomingMessage): boolean {
    const given = this.forge === "gitlab" ? headers["private-token"] : headers.authorization;
    return [TOKEN, `Bearer ${TOKEN}`, `Basic ${Buffer.from(`:${TOKEN}`).toString("base64")}`].includes(String(given));
  }

  private answer(line: string, sent: unknown): Refusal {
    const [method = "", target = ""] = line.split(" ");
    const { pathname, searchParams } = new URL(target, this.url);
    const api = API[this.forge];
    if (pathname === api.self)
      return this.knowsItself ? { status: 200, body: api.me(this.self) } : { status: 403, body: {} };
    if (pathname === api.pull) return { status: 200, body: api.pullOf(this.head) };
    if (pathname === "/repos/corp/fleet/pulls") return { status: 200, body: this.pulls(searchParams.get("head")) };
    if (pathname === api.list && method === "GET") return this.list(searchParams);
    if (pathname === api.list && method === "POST") return this.write(api.sent(sent), (body) => this.add(body));
    const id = Number(new RegExp(api.one).exec(pathname)?.[1]);
    const stored = this.comments.find((each) => each.id === id);
    if (stored === undefined) return { status: 404, body: { message: "Not Found" } };
    if (method === "DELETE") {
      this.comments = this.comments.filter((each) => each !== stored);
      return { status: 204 };
    }
    return method === api.method
      ? this.write(api.sent(sent), (body) => (stored.body = body))
      : { status: 405, body: { message: method } };
  }

  private write(body: string, done: (body: string) => void): Refusal {
    if (body.length > this.longest) return API[this.forge].tooLong(this.longest);
    done(body);
    return { status: 200, body: {} };
  }

  private pulls(head: string | null): unknown {
    return head === "stranger:feature"
      ? [
          { number: 6, head: { sha: "a".repeat(40) } },
          { number: 7, head: { sha: HEAD } },
        ]
      : [];
  }

  private list(query: URLSearchParams): Refusal {
    const api = API[this.forge];
    const page = Number(query.get("page") ?? query.get("continuationToken") ?? "1");
    const shown = this.comments.slice((page - 1) * this.page, page * this.page);
    const more = page * this.page < this.comments.length ? page + 1 : undefined;
    const link = more === undefined ? undefined : `${this.url}${api.list}?per_page=${this.page}&page=${more}`;
    return { status: 200, ...api.listing(shown, more, link) };
  }
}

interface Api {
  readonly self: string;
  readonly me: (self: string) => unknown;
  readonly pull: string;
  readonly pullOf: (head: string) => unknown;
  readonly list: string;
  readonly listing: (shown: readonly Stored[], next?: number, link?: string) => Pick<Refusal, "headers" | "body">;
  /** The number of one comment in its path. */
  readonly one: string;
  readonly method: string;
  readonly sent: (body: unknown) => string;
  readonly tooLong: (longest: number) => Refusal;
}

const header = (name: string, value?: string | number): Readonly<Record<string, string>> =>
  value === undefined ? {} : { [name]: String(value) };

const API: Readonly<Record<PostForge, Api>> = {
  github: {
    self: "/user",
    me: (login) => ({ login }),
    pull: "/repos/corp/fleet/pulls/7",
    pullOf: (sha) => ({ head: { sha } }),
    list: "/repos/corp/fleet/issues/7/comments",
    listing: (shown, _, link) => ({
      headers: header("link", link && `<${link}>; rel="next", <${link}>; rel="last"`),
      body: shown.map(({ id, body, author }) => ({ id, body, user: { login: author } })),
    }),
    one: "/repos/corp/fleet/issues/comments/(\\d+)$",
    method: "PATCH",
    sent: (sent) => (sent as { body: string }).body,
    tooLong: (longest) => ({
      status: 422,
      body: {
        message: "Validation Failed",
        errors: [{ message: `Body is too long (maximum is ${longest} characters)` }],
      },
    }),
  },
  gitlab: {
    self: "/user",
    me: (id) => ({ id: Number(id) }),
    pull: "/projects/group%2Ffleet/merge_requests/7",
    pullOf: (sha) => ({ sha }),
    list: "/projects/group%2Ffleet/merge_requests/7/notes",
    listing: (shown, next) => ({
      headers: { "x-next-page": String(next ?? "") },
      body: shown.map(({ id, body, author }) => ({
        id,
        body,
        system: false,
        author: { id: Number(author), username: "x" },
      })),
    }),
    one: "/notes/(\\d+)$",
    method: "PUT",
    sent: (sent) => (sent as { body: string }).body,
    tooLong: (longest) => ({
      status: 400,
      body: { message: { note: [`is too long (maximum is ${longest} characters)`] } },
    }),
  },
  "azure-devops": {
    self: "/_apis/connectionData",
    me: (id) => ({ authenticatedUser: { id } }),
    pull: "/corp/_apis/git/repositories/fleet/pullRequests/7",
    pullOf: (commitId) => ({ lastMergeSourceCommit: { commitId } }),
    list: "/corp/_apis/git/repositories/fleet/pullRequests/7/threads",
    listing: (shown, next) => ({
      headers: header("x-ms-continuationtoken", next),
      body: {
        value: shown.map(({ id, body, author }) => ({
          id,
          comments: [{ id: 1, content: body, author: { id: author } }],
        })),
      },
    }),
    one: "/threads/(\\d+)/comments/1$",
    method: "PATCH",
    sent: (sent) => {
      const { content, comments } = sent as { content?: string; comments?: { content: string }[] };
      return content ?? comments?.[0]?.content ?? "";
    },
    tooLong: (longest) => ({
      status: 400,
      body: { message: `The comment exceeds the maximum of ${longest} characters.` },
    }),
  },
  bitbucket: {
    self: "/user",
    me: (uuid) => ({ uuid }),
    pull: "/repositories/corp/fleet/pullrequests/7",
    // Bitbucket shortens hashes.
    pullOf: (hash) => ({ source: { commit: { hash: hash.slice(0, 12) } } }),
    list: "/repositories/corp/fleet/pullrequests/7/comments",
    listing: (shown, _, next) => ({
      body: {
        next,
        values: shown.map(({ id, body, author }) => ({ id, content: { raw: body }, user: { uuid: author } })),
      },
    }),
    one: "/comments/(\\d+)$",
    method: "PUT",
    sent: (sent) => (sent as { content: { raw: string } }).content.raw,
    tooLong: () => ({ status: 413, body: { error: { message: "Payload" } } }),
  },
};
