import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { must } from "./commands";

/** The module that holds Go's toolchains, see https://go.dev/doc/toolchain. */
export const TOOLCHAIN = "golang.org/toolchain";

/** What the proxy does wrong. Limited to `times` requests if given, else until it is cleared. */
export type Fault = { readonly times?: number } & (
  | {
      /** Sends the first `bytes` only: then the connection breaks, or with `silently` the answer ends as if complete. */
      readonly kind: "truncate";
      readonly bytes: number;
      readonly silently?: boolean;
    }
  /** One bit in the middle is another. */
  | { readonly kind: "wrong" }
  /** The bytes of another file of the module, for example another version's zip: well-formed, but not what was asked. */
  | { readonly kind: "swap"; readonly file: string }
  /** Sends the first `bytes`, then nothing; the connection stays open. */
  | { readonly kind: "stall"; readonly bytes: number }
  | { readonly kind: "status"; readonly code: 404 | 410 | 500 | 503 }
);

export interface GoProxyOptions {
  /** Address to listen on, default 127.0.0.1; `await hosts.operatorAddress()` for test hosts. */
  readonly address?: string;
  /** The `cache/download` folder to serve from. Default: that of the installed Go, which downloads what is missing. */
  readonly cache?: string;
}

const FILE = /^\/golang\.org\/toolchain\/@v\/(list|v[\w.+-]+\.(?:info|mod|zip))$/;

/**
 * A GOPROXY (https://go.dev/ref/mod#goproxy-protocol) with the toolchain module only, from this machine's module cache,
 * for hosts that reach nothing else. Faults hit requests for zips.
 */
export class GoProxy {
  private readonly paths: string[] = [];
  private current: Fault | undefined;
  private faulted = 0;

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    private readonly complete: boolean,
  ) {}

  static async start(options: GoProxyOptions = {}): Promise<GoProxy> {
    const cache = options.cache ?? (await goDownloadCache());
    const server = createServer();
    const proxy = new GoProxy(server, join(cache, TOOLCHAIN, "@v"), options.cache === undefined);
    server.on("request", (request, response) => void proxy.answer(request, response));
    server.listen(0, options.address ?? "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  /** What to put into GOPROXY. */
  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** What goes wrong from now on; undefined: nothing. */
  set fault(fault: Fault | undefined) {
    this.current = fault;
    this.faulted = 0;
  }

  /** Paths asked for so far, in order. */
  get requests(): readonly string[] {
    return this.paths;
  }

  /** How often a zip was asked for. */
  get downloads(): number {
    return this.paths.filter((path) => path.endsWith(".zip")).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  /** Path of a file of the module on this machine, downloaded if it is missing: `v0.0.1-go1.26.8.linux-amd64.zip`. */
  async file(name: string): Promise<string> {
    const path = join(this.folder, name);
    const version = /^(v.*)\.(?:info|mod|zip)$/.exec(name)?.[1];
    if (!existsSync(path) && version !== undefined && this.complete) {
      await must("go", ["mod", "download", `${TOOLCHAIN}@${version}`], { timeout: 10 * 60_000 });
    }
    return path;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "";
    this.paths.push(url);
    const name = FILE.exec(url)?.[1];
    try {
      const path = name && (await this.file(name));
      if (!path || !existsSync(path) || !statSync(path).isFile()) return finish(response, 404, `not found: ${url}\n`);
      await this.send(response, path, url.endsWith(".zip") ? this.nextFault() : undefined);
    } catch (error) {
      finish(response, 502, `${String(error)}\n`);
    }
  }

  private nextFault(): Fault | undefined {
    if (this.current?.times !== undefined && this.faulted >= this.current.times) return undefined;
    this.faulted++;
    return this.current;
  }

  private async send(response: ServerResponse, path: string, fault: Fault | undefined): Promise<void> {
    if (fault?.kind === "status") return finish(response, fault.code, `fault: ${fault.code}\n`);
    const bytes = readFileSync(fault?.kind === "swap" ? await this.file(fault.file) : path);
    switch (fault?.kind) {
      case "truncate": {
        const part = bytes.subarray(0, fault.bytes);
        if (fault.silently) return finish(response, 200, part);
        response.writeHead(200, { "content-length": bytes.length });
        response.write(part, () => response.destroy());
        return;
      }
      case "stall":
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, fault.bytes));
        return;
      case "wrong": {
        const middle = bytes.length >> 1;
        bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
      }
    }
    finish(response, 200, bytes);
  }
}

function finish(response: ServerResponse, code: number, body: string | Buffer): void {
  response.writeHead(code, { "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function goDownloadCache(): Promise<string> {
  const cache = await must("go", ["env", "GOMODCACHE"]);
  return join(cache.trim(), "cache", "download");
}
