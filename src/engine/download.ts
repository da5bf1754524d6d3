import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

import { shown } from "./go-proxy";
import type { Progress } from "./progress";

const MEGABYTE = 1_000_000;
/** Longest time without a single byte. */
const STALLED_AFTER = 30_000;

/**
 * Downloads `url` to the file `path`. User name and password in the URL go into a header, never into a message.
 *
 * @param what the thing by name, for progress: `Go 1.26.8`
 * @throws {Error} naming the URL and what went wrong.
 */
export async function download(
  url: string,
  path: string,
  what: string,
  { progress, signal }: { readonly progress: Progress; readonly signal?: AbortSignal },
): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), STALLED_AFTER);
  try {
    const { username, password } = new URL(url);
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    const response = await fetch(shown(url), {
      headers: username ? { authorization: `Basic ${credentials.toString("base64")}` } : {},
      signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
    });
    if (!response.ok || !response.body) throw new Error(`answered ${response.status} ${response.statusText}`);
    const length = Number(response.headers.get("content-length"));
    const total = length ? ` of ${megabytes(length)}` : "";
    let received = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        received += chunk.length;
        timer.refresh();
        progress(`downloading ${what}: ${megabytes(received)}${total} MB`);
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), count, createWriteStream(path));
  } catch (error) {
    throw new Error(`${shown(url)}: ${stalled.signal.aborted ? "no answer for 30 s" : reason(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / MEGABYTE));
}

/** fetch() says only "fetch failed"; why is in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
