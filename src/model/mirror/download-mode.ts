/** What Athens does with a version that its store does not have. */
export const DOWNLOAD_MODES = ["sync", "async", "redirect", "async_redirect", "none"] as const;

/**
 * `sync` fetches it while the client waits; `async` answers 404 and fetches it; `redirect` sends the client to `url`;
 * `async_redirect` does and fetches it; `none` answers 404. See https://docs.gomods.io/configuration/download/.
 */
export type DownloadMode = (typeof DOWNLOAD_MODES)[number];

/**
 * How Athens answers for versions that its store does not have. It decides for `.info`, `.mod` and `.zip` only: lists and
 * `@latest` follow the network mode.
 */
export type AthensDownloadMode =
  | {
      /** Where no rule matches. */
      readonly mode: DownloadMode;
      /** Where `redirect` and `async_redirect` send clients: a module proxy's base URL. */
      readonly url?: string;
      /** By module; the first that matches counts. */
      readonly rules?: readonly DownloadRule[];
    }
  | {
      /** Only modules of these patterns are fetched (`sync`); for every other one Athens answers 404. */
      readonly only: readonly string[];
    };

/** What is done for some modules. */
export interface DownloadRule {
  /**
   * A module path pattern as in GOPRIVATE: `*` matches within a path element, what is below the pattern is included.
   */
  readonly modules: string;
  /** What is done for them. */
  readonly mode: DownloadMode;
  /**
   * For `redirect` and `async_redirect`.
   * @default the url beside the rules
   */
  readonly url?: string;
}

/** A download mode with its default and all of its rules, in order. */
export interface ResolvedDownloadMode {
  readonly mode: DownloadMode;
  readonly url: string;
  readonly rules: readonly DownloadRule[];
}

/**
 * Fills in defaults. Where anything is redirected, private modules come first and never are: the place they would be
 * sent to must not learn their names.
 */
export function resolveDownloadMode(
  given: AthensDownloadMode | undefined,
  privateModules: readonly string[] = [],
): ResolvedDownloadMode {
  if (given !== undefined && "only" in given) {
    return { mode: "none", url: "", rules: given.only.map((modules) => ({ modules, mode: "sync" })) };
  }
  const { mode = "sync", url = "", rules = [] } = given ?? {};
  const redirects = [mode, ...rules.map((rule) => rule.mode)].some(isRedirect);
  const kept = redirects ? [...privateModules].sort().map((modules): DownloadRule => ({ modules, mode: "sync" })) : [];
  return { mode, url, rules: [...kept, ...rules] };
}

export function isRedirect(mode: unknown): boolean {
  return mode === "redirect" || mode === "async_redirect";
}
