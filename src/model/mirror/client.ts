import { at, isFields, unknownKeys } from "../check";
import type { GoEnv } from "../go-env-keys";
import { issue, type Issue } from "../issues";
import type { PrivateModules } from "./private-modules";

/** What clients try when the mirror does not give them a module. */
export interface ClientFallback {
  /** Another proxy's base URL; `direct` is the repository itself, past every proxy. */
  readonly to: string;
  /**
   * `not-found`: only where the mirror answers 404 or 410 (a comma in GOPROXY). Athens answers 404 for most troubles of
   * its upstream, so this quietly leaves the mirror. `any-error`: also when it cannot be reached (a `|`).
   */
  readonly on: "not-found" | "any-error";
}

/** How clients use the mirror. */
export interface ClientPolicy {
  /**
   * Tried in order after the mirror.
   * @default none: the mirror alone, so that nothing leaves it unseen
   */
  readonly fallback?: readonly ClientFallback[];
  /**
   * Where private modules come from: through the mirror, which has the credentials; or from their repositories, with
   * each client's own: then the mirror refuses to give them out (403), to a client without its settings too.
   * @default "mirror"
   */
  readonly privateFrom?: "mirror" | "repository";
}

/** The environment of a client of the mirror at `domain`. See https://go.dev/ref/mod#environment-variables. */
export function clientEnvironment(
  origin: string,
  privateModules: PrivateModules,
  { fallback = [], privateFrom = "mirror" }: ClientPolicy = {},
): GoEnv {
  const proxies = fallback.map(({ to, on }) => `${on === "any-error" ? "|" : ","}${to}`);
  const patterns = [...privateModules].sort().join(",");
  return {
    GOPROXY: `${origin}${proxies.join("")}`,
    ...(patterns === ""
      ? {}
      : {
          GOPRIVATE: patterns,
          GONOSUMDB: patterns,
          // `none` matches nothing: without it GOPRIVATE would send private modules past the mirror.
          GONOPROXY: privateFrom === "mirror" ? "none" : patterns,
        }),
  };
}

/** What is wrong with a client policy; `private` tells whether there are private modules to lose. */
export function checkClientPolicy(path: string, given: unknown, hasPrivate: boolean): Issue[] {
  if (!isFields(given)) return [issue(path, given, "an object such as { fallback: [] }")];
  const { fallback, privateFrom } = given;
  return [
    ...(fallback === undefined
      ? []
      : checkFallback(at(path, "fallback"), fallback, hasPrivate && privateFrom !== "repository")),
    ...(privateFrom === undefined || privateFrom === "mirror" || privateFrom === "repository"
      ? []
      : [issue(at(path, "privateFrom"), privateFrom, '"mirror" or "repository"')]),
    ...unknownKeys(path, given, ["fallback", "privateFrom"]),
  ];
}

function checkFallback(path: string, given: unknown, hasPrivate: boolean): Issue[] {
  if (!Array.isArray(given)) return [issue(path, given, 'a list such as [{ to: "direct", on: "not-found" }]')];
  return given.flatMap((entry: unknown, index) => {
    const here = at(path, index);
    if (!isFields(entry)) return [issue(here, entry, '{ to: "<URL>" or "direct", on: "not-found" or "any-error" }')];
    const { to, on } = entry;
    const last = index === given.length - 1;
    return [
      ...checkTo(at(here, "to"), to, last, hasPrivate),
      ...(on === "not-found" || on === "any-error" ? [] : [issue(at(here, "on"), on, '"not-found" or "any-error"')]),
      ...unknownKeys(here, entry, ["to", "on"]),
    ];
  });
}

function checkTo(path: string, given: unknown, last: boolean, hasPrivate: boolean): Issue[] {
  if (given === "direct")
    return last ? [] : [issue(path, given, "direct at the end of the list: nothing after it is tried")];
  if (given === "off") return [issue(path, given, "nothing: a list that just ends is as final")];
  const wanted = 'the base URL of a proxy, such as "https://proxy-b.corp.example", or "direct"';
  if (typeof given !== "string" || !isHttps(given)) return [issue(path, given, wanted)];
  if (hasPrivate) {
    return [
      issue(
        path,
        given,
        '"direct" or no fallback: a client that cannot get a private module would name it to this proxy',
      ),
    ];
  }
  return [];
}

function isHttps(text: string): boolean {
  if (/[\s,|]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return protocol === "https:" && username + password + search + hash === "";
}
