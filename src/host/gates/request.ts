import { shown, throwIfStopped, type GateRun } from "./gate-run";

/** An answer, or why there is none. */
export type Reply =
  | { readonly status: number; readonly body: string; readonly error?: undefined }
  | { readonly status?: undefined; readonly body?: undefined; readonly error: string };

/** Of a body no more is read. */
const LARGEST_BODY = 64 * 1024;

/**
 * Asks for a URL; never throws but for a stop of the gate. Redirects are not followed, and what an answer repeats of the
 * credentials is taken out before anything is cut.
 */
export async function request(
  url: string,
  { timeout, headers = {}, form }: { timeout: number; headers?: Record<string, string>; form?: Record<string, string> },
  run: Pick<GateRun, "signal">,
): Promise<Reply> {
  const late = AbortSignal.timeout(Math.ceil(timeout * 1000));
  try {
    const response = await fetch(url, {
      headers,
      redirect: "manual",
      signal: AbortSignal.any([run.signal, late]),
      ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) }),
    });
    return { status: response.status, body: hidden(await bounded(response), headers) };
  } catch (error) {
    throwIfStopped(run);
    return { error: late.aborted ? `no answer within ${timeout} s` : hidden(fetchFailure(error), headers) };
  }
}

/** Without the credentials of the request, as they were sent and as they were given, also inside JSON. */
function hidden(text: string, { authorization = "" }: Record<string, string>): string {
  const space = authorization.indexOf(" ");
  if (space < 0) return text;
  const sent = authorization.slice(space + 1);
  const given =
    authorization.slice(0, space) === "Basic"
      ? Buffer.from(sent, "base64")
          .toString("utf8")
          .replace(/^[^:]*:/, "")
      : sent;
  const forms = [sent, given].flatMap((each) => [JSON.stringify(each).slice(1, -1), each]);
  return forms.reduce((rest, each) => rest.replaceAll(each, "(secret)"), text);
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the download.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= LARGEST_BODY) break;
  }
  return Buffer.concat(chunks).subarray(0, LARGEST_BODY).toString("utf8");
}

/** Why there was no answer: `fetch` says "fetch failed" and puts what happened below. */
export function fetchFailure(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const { code, message } = (cause ?? error) as { code?: string; message?: string };
  return shown(
    code === undefined || message?.includes(code) === true ? (message ?? "no answer") : `${code} ${message}`,
  );
}
