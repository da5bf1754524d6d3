import { createReadStream, existsSync } from "node:fs";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

/** A flat directory of files, such as an apt repository, over HTTP. apt spells names in more than one way, so a file is found by its decoded name. */
export class PackageServer {
  private constructor(private readonly server: Server) {}

  static async start(address: string, repository: string): Promise<PackageServer> {
    const server = createServer((request, response) => {
      const path = join(repository, basename(decodeURIComponent(request.url ?? "")));
      if (!existsSync(path)) return response.writeHead(404).end();
      createReadStream(path).pipe(response);
    });
    server.listen(0, address);
    await once(server, "listening");
    return new PackageServer(server);
  }

  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** A line of apt's sources.list. */
  get source(): string {
    return `deb [trusted=yes] ${this.url}/ ./`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
