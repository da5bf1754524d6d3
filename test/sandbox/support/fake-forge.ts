import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { TestAuthority } from "../../support/certificates";

/** An answer; a body that is no text is sent as JSON. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

/** A forge's API over TLS, with a certificate of an authority of its own. */
export abstract class FakeForge {
  private server: Server | undefined;
  private authority = "";

  /** @param token what its API trusts */
  constructor(protected readonly token: string) {}

  protected abstract reply(request: IncomingMessage, body: string): Reply;

  /** PEM of the authority that its certificate is from. */
  get ca(): string {
    return this.authority;
  }

  get url(): string {
    const { address, port } = this.server?.address() as AddressInfo;
    return `https://${address}:${port}`;
  }

  async listen(address: string, folder: string): Promise<this> {
    const authority = new TestAuthority(folder);
    this.authority = authority.root.certificate;
    const { certificate, key } = authority.issue("forge", { names: [`IP:${address}`] }, authority.root);
    this.server = createServer({ cert: certificate, key });
    this.server.on("request", (request, response) => void this.answer(request, response));
    this.server.listen(0, address);
    await once(this.server, "listening");
    return this;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    if (!this.server?.listening) return;
    this.server.close();
    await once(this.server, "close");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, headers } = this.reply(request, await text(request));
    const isText = typeof body === "string";
    response.writeHead(status, { "content-type": isText ? "text/html" : "application/json", ...headers });
    response.end(isText || body === undefined ? body : JSON.stringify(body));
  }
}
