import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { MessageQueue } from "./message-queue";

/** Says something on a resource's own row of the engine's display. */
export interface Progress {
  /** Live status; nothing of it stays when the operation is over. */
  status(message: string): void;
  /** Stays in the diagnostics. */
  warn(message: string): void;
  info(message: string): void;
}

let client: EngineClient | undefined;
const queue = new MessageQueue();
/** Milliseconds for the engine to take a message. */
const PATIENCE = 5000;

/** Settles when the engine has all that was said; then it may end this process. */
export function progressSent(): Promise<void> {
  return queue.sent();
}

/** The engine's log, reached by the address it gave this provider process; silent where there is none (unit tests). */
export function engineProgress(urn: string): Progress {
  const address = process.argv[2];
  if (address === undefined || !/^(127\.0\.0\.1|localhost|\[::1\]):\d+$/.test(address)) return SILENT;
  // The SDK's own copy: a second one would not take its credentials.
  const grpc = createRequire(require.resolve("@pulumi/pulumi"))("@grpc/grpc-js") as typeof Grpc;
  client ??= new EngineClient(address, grpc.credentials.createInsecure());
  const log = (severity: LogSeverityValue, message: string, ephemeral: boolean): void => {
    const request = new LogRequest();
    request.setUrn(urn);
    request.setSeverity(severity);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    const send = (): Promise<void> =>
      new Promise((resolve) =>
        client?.log(request, new grpc.Metadata(), { deadline: Date.now() + PATIENCE }, () => resolve()),
      );
    queue.add({ live: ephemeral, send });
  };
  return {
    status: (message) => log(LogSeverity.INFO, message, true),
    info: (message) => log(LogSeverity.INFO, message, false),
    warn: (message) => log(LogSeverity.WARNING, message, false),
  };
}

type LogSeverityValue = (typeof LogSeverity)[keyof typeof LogSeverity];

const SILENT: Progress = { status: () => undefined, info: () => undefined, warn: () => undefined };
