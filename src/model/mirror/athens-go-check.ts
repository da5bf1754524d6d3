import { at, hasControlCharacter, isFields } from "../check";
import { isGoEnvKey } from "../go-env-keys";
import { checkGoEnvValue, hasCredentials } from "../go-env-values";
import { hiddenIssue, issue, type Issue } from "../issues";

/** What the go command below Athens gets where nothing else is said. */
export const GO_CHILD_DEFAULTS: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: "0",
  // Neither settings of a home directory nor another toolchain may change what is fetched.
  GOENV: "off",
  // Else a fetch that is cleared away leaves directories that cannot be deleted.
  GOFLAGS: "-modcacherw",
  GOPROXY: "direct",
  GOTOOLCHAIN: "local",
};

/** Variables that Athens or the mirror sets, and why another value would not do. */
const RESERVED: Readonly<Record<string, string>> = {
  CGO_ENABLED: "nothing: Athens sets it to 0, and go downloads without a compiler",
  GIT_TERMINAL_PROMPT: "nothing: it is 0, for nobody could answer",
  GO111MODULE: "nothing: Athens sets it to on",
  GOCACHE: "nothing: Athens makes one for each fetch and deletes it",
  GOENV: "nothing: it is off, so that only what is given here counts",
  GOMODCACHE: "nothing: what is fetched would stay there for ever",
  GONOSUMDB: "privateModules of the mirror",
  GOPATH: "nothing: Athens makes one for each fetch and deletes it",
  GOPRIVATE: "privateModules of the mirror",
  GOTMPDIR: "nothing: it is on the store's budget",
  GOTOOLCHAIN: "nothing: it is local, the toolchain of the mirror",
  HOME: "nothing: it is a directory in memory with the credentials",
  TMPDIR: "nothing: it is on the store's budget",
};

/** Checks the environment of the go command below Athens. */
export function checkGoChild(
  path: string,
  given: unknown,
  ssh: unknown,
  isUnknown: (value: unknown) => boolean,
): Issue[] {
  if (!isFields(given)) return [issue(path, given, 'variables by name, such as { GOPROXY: "direct" }')];
  return Object.entries(given).flatMap(([name, value]) => {
    const here = at(path, name);
    const reserved = Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
    if (value === undefined) return [];
    if (reserved !== undefined) return [{ path: here, given: "a value", wanted: reserved }];
    if (ssh !== undefined && /^GIT_SSH(_COMMAND)?$/.test(name)) {
      return [{ path: here, given: "a value", wanted: "nothing beside private.ssh" }];
    }
    if (isFields(ssh) && ssh.hosts !== undefined && name.startsWith("GIT_CONFIG_")) {
      return [{ path: here, given: "a value", wanted: "nothing beside private.ssh.hosts, which is made of them" }];
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return [issue(here, value, "a variable's name")];
    return isUnknown(value) ? [] : checkValue(here, name, value);
  });
}

function checkValue(path: string, name: string, value: unknown): Issue[] {
  // A user's name is no secret where a key logs in.
  if (typeof value === "string" && hasCredentials(value.replace(/\bssh:\/\/[\w.-]+@/g, "ssh://"))) {
    const wanted = "a URL without user and password; those go into private.netrc";
    return [hiddenIssue(path, "a URL with credentials", wanted)];
  }
  if (typeof value !== "string" || value === "" || hasControlCharacter(value)) {
    return [issue(path, value, "one line of text")];
  }
  if (name === "GOPROXY" && /(^|[,|])off$/.test(value)) {
    return [
      issue(
        path,
        value,
        'a proxy or "direct"; to fetch nothing, networkMode "offline" and downloadMode { mode: "none" }',
      ),
    ];
  }
  const found = isGoEnvKey(name) ? checkGoEnvValue(path, name, value, undefined) : undefined;
  return found ? [found] : [];
}
