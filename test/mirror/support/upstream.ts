import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

/** What the upstream does wrong with module files (the checksum database is left alone). */
export type UpstreamFault =
  | { readonly kind: "status"; readonly code: number }
  /** Answers after this many milliseconds. */
  | { readonly kind: "slow"; readonly wait: number }
  /** Breaks the connection in the middle of a zip. */
  | { readonly kind: "truncate" };

/**
 * The GOPROXY of this machine's go command, checksum database included, for hosts that reach nothing else. Module files
 * are kept in the user's cache, so that a suite fetches each once per machine. Every request is noted.
 */
export class Upstream {
  fault: UpstreamFault | undefined;
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly tls: Server | undefined,
    private readonly source: string,
    private readonly folder: string,
  ) {}

  /** `tls`: it also answers over TLS, as whom the certificate says. */
  static async start(address = "127.0.0.1", tls?: { readonly cert: string; readonly key: string }): Promise<Upstream> {
    const [source = ""] = execFileSync("go", ["env", "GOPROXY"], { encoding: "utf8", cwd: "/" }).trim().split(/[,|]/);
    const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
    const folder = join(cache, "gofleet", "upstream");
    mkdirSync(folder, { recursive: true });
    const listener: RequestListener = (request, response) => {
      upstream.answer(request.url ?? "/", response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(502);
        response.end(`${String(error)}\n`);
      });
    };
    const servers = [createServer(listener), ...(tls ? [createTlsServer(tls, listener)] : [])];
    const [plain = assert.fail(), secure] = servers;
    const upstream = new Upstream(plain, secure, source.replace(/\/$/, ""), folder);
    for (const server of servers) {
      server.listen(0, address);
      await once(server, "listening");
    }
    return upstream;
  }

  /** The port that answers over TLS. */
  get tlsPort(): number {
    return (this.tls?.address() as AddressInfo).port;
  }

  /** What to put into GOPROXY. */
  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  async stop(): Promise<void> {
    for (const server of [this.server, ...(this.tls ? [this.tls] : [])]) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }

  private async answer(path: string, response: ServerResponse): Promise<void> {
    this.requests.push(path);
    const database = path.startsWith("/sumdb/");
    const fault = database ? undefined : this.fault;
    if (fault?.kind === "status") {
      response.writeHead(fault.code);
      response.end(`fault: ${fault.code}\n`);
      return;
    }
    if (fault?.kind === "slow") await new Promise((resolve) => setTimeout(resolve, fault.wait));
    const { status, body } = await this.fetch(path);
    response.writeHead(status, { "content-length": body.length });
    if (fault?.kind === "truncate" && path.endsWith(".zip")) {
      response.write(body.subarray(0, body.length >> 1), () => response.destroy());
      return;
    }
    response.end(body);
  }

  /** Immutable files and the database's tiles from the cache; lists and "latest" as they are now. */
  private async fetch(path: string): Promise<{ readonly status: number; readonly body: Buffer }> {
    const immutable = /\/@v\/v[^/]+\.(info|mod|zip)$|\/tile\/|\/lookup\//.test(path);
    const file = join(this.folder, createHash("sha256").update(path).digest("hex"));
    if (immutable && existsSync(file)) return { status: 200, body: readFileSync(file) };
    const answer = await fetch(this.source + path, { signal: AbortSignal.timeout(120_000) });
    const body = Buffer.from(await answer.arrayBuffer());
    if (immutable && answer.ok) {
      const part = `${file}.${process.pid}`;
      writeFileSync(part, body);
      renameSync(part, file);
    }
    return { status: answer.status, body };
  }
}
