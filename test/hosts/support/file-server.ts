import { once } from "node:events";
import { createServer as createPlain, type RequestListener, type Server } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";

/** A key and its certificate, both PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Serves files from memory, by HTTP or with a certificate by HTTPS. */
export class FileServer {
  /** What is served, by path (`/tool.tar.gz`). */
  readonly files = new Map<string, Buffer>();
  /** Paths asked for so far, in order. */
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly scheme: "http" | "https",
  ) {}

  static async start(address: string, certificate?: Certificate): Promise<FileServer> {
    const server = certificate ? createSecure(certificate) : createPlain();
    const served = new FileServer(server, certificate ? "https" : "http");
    server.on("request", served.answer);
    server.listen(0, address);
    await once(server, "listening");
    return served;
  }

  /** Without a final slash. */
  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${this.scheme}://${address}:${port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private readonly answer: RequestListener = (request, response) => {
    const path = request.url ?? "";
    this.requests.push(path);
    const bytes = this.files.get(path);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  };
}
