import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One query as the server got it. */
export interface Asked {
  readonly query: string;
  /** Seconds since 1970, where the query is of another time than now. */
  readonly time?: number;
  readonly authorization?: string;
}

/** A number answers a vector of one sample, a list a vector of so many, a text the whole body, with a status before it. */
export type Answer = number | readonly number[] | `${number} ${string}`;

/** The part of Prometheus' HTTP API that gates use, answering what a test says. */
export class FakePrometheus {
  readonly asked: Asked[] = [];
  answer: (asked: Asked, number: number) => Answer = () => 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    const time = form.get("time");
    const { authorization } = request.headers;
    const asked: Asked = {
      query: form.get("query") ?? "",
      ...(time === null ? {} : { time: Number(time) }),
      ...(authorization === undefined ? {} : { authorization }),
    };
    this.asked.push(asked);
    if (request.method !== "POST" || request.url !== "/api/v1/query") return void response.writeHead(404).end();
    const answer = this.answer(asked, this.asked.length);
    if (typeof answer === "string") {
      const [, status, text] = /^(\d+) (.*)$/s.exec(answer) ?? [];
      return void response.writeHead(Number(status)).end(text);
    }
    const result = [answer].flat().map((value) => ({ metric: {}, value: [0, String(value)] }));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
  }
}
