import { join, resolve } from "node:path";
import { bootstrap } from "./bootstrap";
import type { LocalConnection } from "./connection";
import { runProcess } from "./process";
import type { ExecRequest, ExecResult, Transport } from "./transport";

/** Runs the agent on this machine, on a directory that stands for `/`, or on `/` itself. */
export class LocalTransport implements Transport {
  readonly place: string;

  constructor(connection: LocalConnection) {
    this.place = connection.root;
  }

  exec(request: ExecRequest): Promise<ExecResult> {
    const root = resolve(this.place);
    return runProcess("sh", ["-c", bootstrap(request.verb, join(root, "run/gofleet"))], request);
  }

  close(): void {}
}
