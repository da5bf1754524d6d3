import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** The engine's call when a run is cancelled (the first Ctrl-C) and when a plugin is no longer needed. */
const CANCEL = "/pulumirpc.ResourceProvider/Cancel";

/**
 * Tells when the engine cancels the run, and when it is gone without a word (`kill -9`). The SDK's provider process
 * answers the cancel call itself and hands it to nobody, so it is overheard on the process's own gRPC server. Where
 * that cannot be found nothing is told: a cancelled run then ends with its last wave.
 */
export function watchEngine(told: { readonly cancelled: () => void; readonly gone: () => void }): void {
  const sessions = new WeakSet<object>();
  for (const server of http2Servers()) {
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (headers[":path"] === CANCEL) told.cancelled();
      const { session } = stream;
      if (session === undefined || sessions.has(session)) return;
      sessions.add(session);
      session.once("close", told.gone);
    });
  }
}

/** The servers of this process; Node has no documented list of them. */
function http2Servers(): Http2Server[] {
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => unknown[] };
  const open = handles?.call(process) ?? [];
  return open.filter((handle) => handle?.constructor?.name === "Http2Server") as Http2Server[];
}
