import { at, hasControlCharacter, isFields, nearest, type CheckOptions } from "./check";
import { GO_ENV_KEYS, isGoEnvKey, type GoEnvKey } from "./go-env-keys";
import { checkGoEnvValue } from "./go-env-values";
import { issue, type Issue } from "./issues";

/** Largest rendered environment, in bytes; the hosts report it back whole. */
const GO_ENV_LIMIT = 8192;

/** Names people write for a setting, and keys that go takes from elsewhere: the right name, or the way out. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  GOROOT: "no GOROOT: go finds its own tree, and a fixed value mixes toolchains after a version switch",
  GODEBUG: 'GODEBUG where the program runs (unit or job environment) or "godebug" in go.mod; go.env is not read for it',
  GOTELEMETRY: 'telemetry is set by "go telemetry off" for each user, not in go.env',
  GOTELEMETRYDIR: "no GOTELEMETRYDIR: it follows the user's configuration directory",
  GOENV: "no GOENV: it names another file of settings and is read from the process environment only",
  GOMAXPROCS: "GOMAXPROCS where the program runs; the go command does not keep it in go.env",
  GOMEMLIMIT: "GOMEMLIMIT where the program runs; the go command does not keep it in go.env",
  GOGC: "GOGC where the program runs; the go command does not keep it in go.env",
  GOVERSION: 'the version in "go"; GOVERSION cannot be set',
  GOHOSTOS: "no GOHOSTOS: it cannot be set",
  GOHOSTARCH: "no GOHOSTARCH: it cannot be set",
  GOTOOLDIR: "no GOTOOLDIR: it cannot be set",
  GOMOD: "no GOMOD: it cannot be set",
  GOEXE: "no GOEXE: it cannot be set",
  GOGCCFLAGS: "CGO_CFLAGS; GOGCCFLAGS cannot be set",
  GOCHECKSUMDB: "GOSUMDB",
  GOCHECKSUM: "GOSUMDB",
  GONOCHECKSUMDB: "GONOSUMDB",
  GONOSUMCHECK: "GONOSUMDB",
  GOMODPROXY: "GOPROXY",
  GOBUILDFLAGS: "GOFLAGS",
  GOBUILDCACHE: "GOCACHE",
  GOMODULECACHE: "GOMODCACHE",
  GOMODULE: "GO111MODULE",
  GOMODULES: "GO111MODULE",
  GOTMP: "GOTMPDIR",
  GOPRIVATEMODULES: "GOPRIVATE",
  HTTPPROXY: "HTTP_PROXY in the job's environment; go.env is not read for it",
  HTTPSPROXY: "HTTPS_PROXY in the job's environment; go.env is not read for it",
  NOPROXY: "GONOPROXY for modules, or NO_PROXY in the job's environment",
};

/** Checks an `env` argument: names, then each known value. `defaultVersion` is the release of `go`, where known. */
export function checkGoEnv(
  path: string,
  given: unknown,
  { isUnknown = () => false, defaultVersion }: CheckOptions & { readonly defaultVersion?: string } = {},
): Issue[] {
  if (given === undefined || isUnknown(given)) return [];
  if (!isFields(given)) return [issue(path, given, 'settings by name, such as { GOFLAGS: "-mod=readonly" }')];
  const issues: Issue[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const here = at(path, key);
    if (!isGoEnvKey(key)) {
      issues.push(issue(here, value, rightName(key)));
    } else if (!isUnknown(value)) {
      issues.push(...checkValue(here, key, value, defaultVersion));
      bytes += typeof value === "string" ? Buffer.byteLength(`${key}=${value}\n`) : 0;
    }
  }
  if (bytes > GO_ENV_LIMIT) {
    issues.push({ path, given: `${bytes} bytes`, wanted: `at most ${GO_ENV_LIMIT} bytes in all` });
  }
  return issues;
}

function checkValue(path: string, key: GoEnvKey, value: unknown, defaultVersion: string | undefined): Issue[] {
  const refuse = (wanted: string) => [issue(path, value, wanted)];
  if (typeof value !== "string") return refuse(`text, such as "${String(value)}"`.slice(0, 60));
  if (value === "") return refuse("a value; to keep Go's own default, leave the key out");
  if (hasControlCharacter(value)) return refuse("one line without control characters");
  if (value !== value.trim()) return refuse("no white space at either end: go takes it as part of the value");
  const found = checkGoEnvValue(path, key, value, defaultVersion);
  return found ? [found] : [];
}

function rightName(key: string): string {
  const bare = key.toUpperCase().replace(/[_-]/g, "");
  const elsewhere = Object.hasOwn(ELSEWHERE, bare) ? ELSEWHERE[bare] : undefined;
  if (elsewhere !== undefined) return isGoEnvKey(elsewhere) ? `${elsewhere}, its name in Go` : elsewhere;
  const near = nearest(key, GO_ENV_KEYS);
  return near ? `${near}, its name in Go` : "a setting that go reads from go.env (go help environment)";
}
