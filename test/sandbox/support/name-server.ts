import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const HEADER = 12;
const A = 1;
/** A name that begins at the header's end, by its offset. */
const ASKED_NAME = 0xc000 + HEADER;

/** A DNS server over UDP that knows a few names by their IPv4 addresses. Every name it is asked for is noted. */
export class NameServer {
  readonly asked: string[] = [];

  private constructor(
    readonly address: string,
    private readonly socket: Socket,
  ) {}

  static async start(address: string, names: Readonly<Record<string, string>>): Promise<NameServer> {
    const socket = createSocket("udp4");
    const server = new NameServer(address, socket);
    socket.on("message", (query, { address: to, port }) => {
      const { name, type, end } = question(query);
      server.asked.push(name);
      socket.send(answer(query.subarray(0, end), type, names[name]), port, to);
    });
    socket.bind(53, address);
    await once(socket, "listening");
    return server;
  }

  stop(): void {
    this.socket.close();
  }
}

/** RFC 1035, 4.1.2. */
function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** An unknown name does not exist; a known one has an address, and nothing of any other type. */
function answer(asked: Buffer, type: number, address: string | undefined): Buffer {
  const reply = Buffer.from(asked);
  const found = type === A && address !== undefined ? 1 : 0;
  reply.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2);
  reply.writeUInt16BE(found, 6);
  reply.writeUInt32BE(0, 8);
  if (found === 0 || address === undefined) return reply;
  const record = Buffer.alloc(16);
  [ASKED_NAME, A, 1].forEach((value, index) => record.writeUInt16BE(value, index * 2));
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(4, 10);
  address.split(".").forEach((part, index) => record.writeUInt8(Number(part), 12 + index));
  return Buffer.concat([reply, record]);
}
