import { which } from "./launcher";
import { CommandFailed, run } from "./run";

/** The Go module proxies of this machine, as Go would use them. */
export interface GoProxies {
  /** Base URLs in order of preference, without a final slash; may hold credentials. */
  readonly urls: readonly string[];
  /** Whether sources other than the proxies may be used as well: the list says `direct`, or nothing was set. */
  readonly direct: boolean;
}

/**
 * The proxies in `GOPROXY`, else those of the installed Go's own settings.
 *
 * @see https://go.dev/ref/mod#environment-variables
 */
export async function goProxies(env: NodeJS.ProcessEnv): Promise<GoProxies> {
  if (env["GOPROXY"]) return parseGoProxy(env["GOPROXY"]);
  const go = which("go", env["PATH"]);
  if (!go) return { urls: [], direct: true };
  try {
    return parseGoProxy(await run(go, ["env", "GOPROXY"], { env: { ...env, GOTOOLCHAIN: "local" } }));
  } catch (error) {
    if (error instanceof CommandFailed) return { urls: [], direct: true };
    throw error;
  }
}

/** Reads a proxy list: `https://a.example,https://b.example|direct`. Nothing after `off` or `direct` counts. */
export function parseGoProxy(list: string): GoProxies {
  const urls: string[] = [];
  for (const entry of list.split(/[,|]/).map((each) => each.trim())) {
    if (entry === "off") return { urls, direct: false };
    if (entry === "direct") return { urls, direct: true };
    if (/^https?:\/\//.test(entry)) urls.push(entry.replace(/\/+$/, ""));
  }
  return { urls, direct: false };
}

/** A URL as it may be shown: without user name and password. */
export function shown(url: string): string {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}
