import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { TestAuthority } from "../../support/certificates";

interface Runner {
  readonly id: number;
  readonly name: string;
  busy: boolean;
}

const RUNNERS = "/api/v3/orgs/corp/actions/runners";

/** As much of a GitHub Enterprise Server's API as just-in-time runners need, over TLS, for the organization `corp`. */
export class FakeGithub {
  readonly runners = new Map<string, Runner>();
  private made = 0;

  private constructor(
    private readonly server: Server,
    /** PEM of the authority that its certificate is from. */
    readonly ca: string,
    private readonly token: string,
  ) {}

  static async start(address: string, folder: string, token: string): Promise<FakeGithub> {
    const authority = new TestAuthority(folder);
    const { certificate, key } = authority.issue("forge", { names: [`IP:${address}`] }, authority.root);
    const server = createServer({ cert: certificate, key });
    const github = new FakeGithub(server, authority.root.certificate, token);
    server.on("request", (request, response) => void github.answer(request, response));
    server.listen(0, address);
    await once(server, "listening");
    return github;
  }

  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `https://${address}:${port}`;
  }

  /** The runner of a slot that is known now, if there is one. */
  of(slot: number): Runner | undefined {
    return [...this.runners.values()].find(({ name }) => name.includes(`-ci-${slot}-`));
  }

  /** GitHub forgets a just-in-time runner when its job has ended. */
  jobEnded(slot: number): void {
    const runner = this.of(slot);
    if (runner) this.runners.delete(runner.name);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, "close");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, body] = this.reply(request, await text(request));
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  private reply({ method, url = "", headers }: IncomingMessage, body: string): [status: number, body?: unknown] {
    if (headers.authorization !== `Bearer ${this.token}`) return [401, { message: "Bad credentials" }];
    const { pathname, searchParams } = new URL(url, this.url);
    if (method === "POST" && pathname === `${RUNNERS}/generate-jitconfig`) {
      const { name } = JSON.parse(body) as { name: string };
      if (this.runners.has(name)) return [409, { message: "Already exists" }];
      const runner = { id: (this.made += 1), name, busy: false };
      this.runners.set(name, runner);
      return [201, { runner, encoded_jit_config: `jit-config-of-${name}` }];
    }
    if (method === "GET" && pathname === RUNNERS) {
      const found = [this.runners.get(searchParams.get("name") ?? "")].filter((each) => each !== undefined);
      return [200, { total_count: found.length, runners: found }];
    }
    const found = [...this.runners.values()].find(({ id }) => pathname === `${RUNNERS}/${id}`);
    if (method !== "DELETE" || found === undefined) return [404, { message: "Not Found" }];
    if (found.busy) return [422, { message: "Runner is still running a job" }];
    this.runners.delete(found.name);
    return [204];
  }
}
