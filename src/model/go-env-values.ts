import type { GoEnvKey } from "./go-env-keys";
import { isGoVersion } from "./go-version";
import { joinGoWords, splitGoWords } from "./go-words";
import { hiddenIssue, issue, type Issue } from "./issues";

/** Returns what would do, or undefined when the value is good. */
type ValueCheck = (value: string, defaultVersion: string | undefined) => string | undefined;

const oneOf =
  (...values: readonly string[]): ValueCheck =>
  (value) =>
    values.includes(value) ? undefined : `one of ${values.join(", ")}`;

const matching =
  (shape: RegExp, wanted: string): ValueCheck =>
  (value) =>
    shape.test(value) ? undefined : wanted;

const absolutePath: ValueCheck = (value) => {
  if (/^~|\$/.test(value)) return "an absolute path; ~ and $HOME are not expanded in go.env";
  if (!value.startsWith("/")) return "an absolute path";
  return value.split("/").includes("..") ? "an absolute path without .. in it" : undefined;
};

const modulePatterns = matching(
  /^[^\s,]+(,[^\s,]+)*$/,
  'module path patterns with commas between, such as "git.corp.example/*,*.internal.example"',
);

const CHECKS: { readonly [Key in GoEnvKey]?: ValueCheck } = {
  CC: compiler,
  CGO_ENABLED: oneOf("0", "1"),
  CGO_CFLAGS: cgoFlags,
  CGO_CPPFLAGS: cgoFlags,
  CGO_CXXFLAGS: cgoFlags,
  CGO_FFLAGS: cgoFlags,
  CGO_LDFLAGS: cgoFlags,
  CXX: compiler,
  FC: compiler,
  GCCGO: absolutePath,
  GO111MODULE: oneOf("on", "off", "auto"),
  GO386: oneOf("sse2", "softfloat"),
  GOAMD64: oneOf("v1", "v2", "v3", "v4"),
  GOARCH: matching(/^[a-z0-9]+$/, 'an architecture such as "amd64" (go tool dist list)'),
  GOARM: matching(
    /^[567](,(hardfloat|softfloat))?$/,
    '"5", "6" or "7", with ",softfloat" or ",hardfloat" where needed',
  ),
  GOARM64: matching(/^v(8\.[0-9]|9\.[0-5])(,(lse|crypto))*$/, 'an architecture level such as "v8.0" or "v9.0,lse"'),
  GOBIN: absolutePath,
  GOCACHE: (value) => (value === "off" ? undefined : absolutePath(value, undefined)),
  GOEXPERIMENT: matching(/^[a-z0-9]+(,[a-z0-9]+)*$/, 'experiments with commas between, such as "none"'),
  GOFIPS140: matching(
    /^(off|latest|inprocess|certified|v\d+\.\d+\.\d+)$/,
    '"off", "latest", or a version such as "v1.0.0"',
  ),
  GOFLAGS: goFlags,
  GOINSECURE: modulePatterns,
  GOMIPS: oneOf("hardfloat", "softfloat"),
  GOMIPS64: oneOf("hardfloat", "softfloat"),
  GOMODCACHE: absolutePath,
  GONOPROXY: modulePatterns,
  GONOSUMDB: modulePatterns,
  GOOS: matching(/^[a-z0-9]+$/, 'an operating system such as "linux" (go tool dist list)'),
  GOPATH: (value) =>
    value
      .split(":")
      .map((each) => absolutePath(each, undefined))
      .find(Boolean),
  GOPPC64: oneOf("power8", "power9", "power10"),
  GOPRIVATE: modulePatterns,
  GOPROXY: goProxy,
  GORISCV64: oneOf("rva20u64", "rva22u64", "rva23u64"),
  GOSUMDB: matching(
    /^off$|^[^\s=]+( https?:\/\/\S+)?$/,
    '"off", a database\'s name or "<name>+<hash>+<key>", then its URL',
  ),
  GOTMPDIR: absolutePath,
  GOTOOLCHAIN: goToolchain,
  GOWORK: (value) => (value === "off" ? undefined : absolutePath(value, undefined)),
  PKG_CONFIG: matching(/^[^\s'"]+$/, "a command's name or path, alone"),
  GOVCS: matching(/^[^\s:,]+:[^\s:,]+(,[^\s:,]+:[^\s:,]+)*$/, 'rules such as "public:git,private:all" or "*:git"'),
};

/** Checks the form of one value. A URL with a password is refused without being repeated. */
export function checkGoEnvValue(
  path: string,
  key: GoEnvKey,
  value: string,
  defaultVersion: string | undefined,
): Issue | undefined {
  if (hasCredentials(value)) {
    const wanted = "a URL without user name and password: every user reads go.env; use GOAUTH and .netrc";
    return hiddenIssue(path, "a URL with credentials", wanted);
  }
  const wanted = CHECKS[key]?.(value, defaultVersion);
  return wanted === undefined ? undefined : issue(path, value, wanted);
}

/** True where a URL inside the text carries `user:password@` or `user@`. */
export function hasCredentials(text: string): boolean {
  return /:\/\/[^/?#\s,|]*@/.test(text);
}

/** An `http`, `https` or `file` URL. */
export function isUrl(text: string, schemes: readonly string[] = ["http:", "https:"]): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return schemes.includes(url.protocol) && (url.host !== "" || url.protocol === "file:");
}

function goProxy(value: string): string | undefined {
  for (const entry of value.split(/[,|]/)) {
    const known = entry === "direct" || entry === "off" || isUrl(entry, ["http:", "https:", "file:"]);
    if (known) continue;
    const bare = /^[\w.-]+\.[\w.-]+(:\d+)?(\/\S*)?$/.test(entry);
    return bare ? `"https://${entry}"` : 'URLs, "direct" or "off", with "," (or "|") between and no spaces';
  }
  return undefined;
}

function goToolchain(value: string, defaultVersion: string | undefined): string | undefined {
  if (["local", "auto", "path"].includes(value)) return undefined;
  const version = /^go(.+?)(\+(auto|path))?$/.exec(value)?.[1];
  if (version === undefined || !isGoVersion(version)) {
    return '"local", "auto", "path", or an exact one such as "go1.26.8" or "go1.26.8+auto"';
  }
  return defaultVersion === undefined || version === defaultVersion
    ? undefined
    : `"local": every go command would fetch go${version} first; to use it, put it into "go"`;
}

/** GOFLAGS is a list of flags; a flag with a space in its value is quoted whole (`go help environment`). */
function goFlags(value: string): string | undefined {
  const wanted = 'flags with spaces between, each -flag or -flag=value, such as "-mod=readonly -trimpath"';
  const words = splitGoWords(value);
  return words?.every((word) => /^--?[A-Za-z][^=]*(=.*)?$/s.test(word)) ? undefined : wanted;
}

/** The go command answers these in its own spelling, so that is the one to use: what is read back is what was set. */
function cgoFlags(value: string): string | undefined {
  const words = splitGoWords(value);
  const own = words && joinGoWords(words);
  if (own === undefined) return "flags with spaces between, a flag quoted whole by ' or \" where it has spaces";
  return own === value ? undefined : `${JSON.stringify(own)}, as go spells it`;
}

function compiler(value: string): string | undefined {
  const command = splitGoWords(value)?.[0];
  if (command === undefined) return "a command, quoted where it has spaces";
  return command.startsWith("/") || !command.includes("/") ? undefined : "a command's name or its absolute path";
}
