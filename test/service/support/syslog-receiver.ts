import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";

/** One message as RFC 5424 has it. */
export interface SyslogMessage {
  readonly app: string;
  readonly text: string;
}

/** A chain with its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A syslog server with TLS (RFC 5425) that can go away and come back, at the same port with what it has received. */
export class SyslogReceiver {
  readonly messages: SyslogMessage[] = [];
  private server: Server | undefined;
  private port = 0;
  private readonly clients = new Set<TLSSocket>();

  constructor(private readonly host: string) {}

  get address(): `${string}:${number}` {
    return `${this.host}:${this.port}`;
  }

  /** What programs of that name have said. */
  texts(app: string): string[] {
    return this.messages.filter((each) => each.app === app).map(({ text }) => text);
  }

  async start(pair: Pair): Promise<void> {
    this.server = createServer(pair, (client) => this.take(client));
    this.server.listen(this.port, this.host);
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    server.close();
    for (const client of this.clients) client.destroy();
    await once(server, "close");
  }

  private take(client: TLSSocket): void {
    this.clients.add(client);
    client.on("close", () => this.clients.delete(client));
    // Whoever does not like the certificate hangs up.
    client.on("error", () => undefined);
    let rest: Buffer = Buffer.alloc(0);
    client.on("data", (bytes: Buffer) => {
      rest = this.frames(Buffer.concat([rest, bytes]));
    });
  }

  /** `<length> <message>`, one after the other; what is not whole yet is given back. */
  private frames(bytes: Buffer): Buffer {
    for (;;) {
      const space = bytes.indexOf(" ");
      const end = space + 1 + Number(bytes.subarray(0, Math.max(space, 0)));
      if (space < 1 || bytes.length < end) return bytes;
      const message = bytes.subarray(space + 1, end).toString();
      const [, app = "", text = message] = /^<\d+>1 \S+ \S+ (\S+) \S+ \S+ - ?(.*)$/s.exec(message) ?? [];
      this.messages.push({ app, text: text.trim() });
      bytes = bytes.subarray(end);
    }
  }
}
