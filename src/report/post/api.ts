import { setTimeout as sleep } from "node:timers/promises";

export interface ApiSettings {
  /** Base URL; https, or the machine itself. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Texts that never appear in a message: the token and what is made of it. */
  readonly secrets: readonly string[];
  /**
   * Seconds that are waited in all, for rate limits and for a server that does not answer.
   * @default 120
   */
  readonly patience?: number;
  readonly wait?: (seconds: number) => Promise<void>;
}

export interface Answer {
  readonly body: unknown;
  readonly headers: Headers;
}

/** The forge refused a request. */
export class ApiError extends Error {
  /** So that the command line prints it as it is. */
  readonly code = "API";

  constructor(
    message: string,
    readonly status: number,
    /** True where the request may have been carried out all the same: nobody answered. */
    readonly uncertain = false,
  ) {
    super(message);
  }

  /** The comment is longer than the forge takes. */
  get tooLong(): boolean {
    if (this.status === 413) return true;
    return (this.status === 422 || this.status === 400) && /too long|too large|maximum|exceed/i.test(this.message);
  }
}

const TRIES = 6;
const ANSWER_WITHIN = 30_000;

/** A forge's JSON API: waits where it is told to, repeats what may be repeated, and never shows its token. */
export class Api {
  private readonly base: URL;
  private patience: number;

  constructor(private readonly settings: ApiSettings) {
    this.base = new URL(settings.base.replace(/\/*$/, "/"));
    const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(this.base.hostname);
    if (this.base.protocol !== "https:" && !local) {
      throw new ApiError(`${this.base.origin}: a token goes over https only`, 0);
    }
    this.patience = settings.patience ?? 120;
  }

  get(path: string): Promise<Answer> {
    return this.request("GET", path);
  }

  /** @param path below the base URL; a whole URL (a next page) only of the same origin */
  async request(method: string, path: string, body?: object): Promise<Answer> {
    const url = new URL(path, this.base);
    if (url.origin !== this.base.origin) throw this.error(method, url, "leads to another server", 0);
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.send(method, url, body);
      const pause = response === undefined ? this.backoff(method, attempt) : this.pauseOf(method, response, attempt);
      if (pause === undefined) {
        if (response === undefined) throw this.error(method, url, "no answer", 0, true);
        return this.read(method, url, response);
      }
      await response?.body?.cancel();
      if (attempt === TRIES || pause > this.patience) {
        const status = response?.status ?? 0;
        const asks = response === undefined ? "no answer" : `answered ${status} and asks to wait ${pause} s`;
        throw this.error(method, url, `${asks}; try again later, or allow more by --wait`, status);
      }
      this.patience -= pause;
      await (this.settings.wait ?? ((seconds) => sleep(seconds * 1000)))(pause);
    }
  }

  private async send(method: string, url: URL, body?: object): Promise<Response | undefined> {
    try {
      return await fetch(url, {
        method,
        headers: { ...this.settings.headers, ...(body && { "content-type": "application/json" }) },
        body: body && JSON.stringify(body),
        // A token must not follow a redirect to wherever it leads.
        redirect: "manual",
        signal: AbortSignal.timeout(ANSWER_WITHIN),
      });
    } catch {
      return undefined;
    }
  }

  /** Seconds to wait before the same request again; undefined for an answer to take. */
  private pauseOf(method: string, { status, headers }: Response, attempt: number): number | undefined {
    const spent = headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0";
    if (status === 429 || (status === 403 && spent)) return retryAfter(headers) ?? 2 ** attempt;
    if (status < 500) return undefined;
    const pause = this.backoff(method, attempt);
    return pause === undefined ? undefined : (retryAfter(headers) ?? pause);
  }

  /** A comment that is created twice is worse than one that is looked for again: POST is not repeated blindly. */
  private backoff(method: string, attempt: number): number | undefined {
    return method === "POST" ? undefined : 2 ** (attempt - 1);
  }

  private async read(method: string, url: URL, response: Response): Promise<Answer> {
    const { status, headers } = response;
    const text = await response.text();
    let body: unknown;
    try {
      body = text === "" ? undefined : (JSON.parse(text) as unknown);
    } catch {
      if (response.ok) throw this.error(method, url, "the answer is no JSON: is the token good?", status);
    }
    if (response.ok) return { body, headers };
    if (status >= 300 && status < 400) throw this.error(method, url, "was moved; give its new address", status);
    throw this.error(method, url, `${status} ${said(body) ?? response.statusText}`, status, status >= 500);
  }

  private error(method: string, url: URL, what: string, status: number, uncertain = false): ApiError {
    const text = `${method} ${url.origin}${url.pathname}: ${what}`.replace(/\p{Cc}+/gu, " ");
    const clean = this.settings.secrets.reduce(
      (all, secret) => (secret === "" ? all : all.replaceAll(secret, "***")),
      text,
    );
    return new ApiError(clean, status, uncertain);
  }
}

/** What the server asks for, in seconds. */
function retryAfter(headers: Headers): number | undefined {
  const given = headers.get("retry-after");
  if (given !== null && /^\d+$/.test(given)) return Number(given);
  const date = given === null ? Number.NaN : Date.parse(given);
  const reset = Number(headers.get("x-ratelimit-reset") ?? headers.get("ratelimit-reset") ?? Number.NaN) * 1000;
  const until = Number.isNaN(date) ? reset : date;
  return Number.isNaN(until) ? undefined : Math.max(1, Math.ceil((until - Date.now()) / 1000));
}

const LONGEST = 300;

/** The words of an error, as the forges write it. */
function said(body: unknown): string | undefined {
  const { message, error, errors } = (body ?? {}) as { message?: unknown; error?: unknown; errors?: unknown };
  const inner = (error as { message?: unknown } | undefined)?.message ?? error;
  const details = Array.isArray(errors) ? errors.map((each: { message?: unknown }) => each.message ?? each) : [];
  const words = [message, inner, ...details].flatMap((each) =>
    each === undefined ? [] : [typeof each === "string" ? each : JSON.stringify(each)],
  );
  return words.length === 0 ? undefined : words.join("; ").slice(0, LONGEST);
}
