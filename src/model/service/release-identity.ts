import { checkFields, matching, oneOf, type ValueCheck } from "../field-checks";
import { isGoMajor, isGoVersion, type GoMajor, type GoVersion } from "../go-version";
import { issue } from "../issues";

/**
 * What a Go program says of itself, as `go version -m` shows it. What is given here must be there.
 * @see https://pkg.go.dev/runtime/debug#BuildInfo
 */
export interface ProgramIdentity {
  /** The main module's path: `git.corp.example/buildcache`. */
  readonly module?: string;
  /** The main package's path: `git.corp.example/buildcache/cmd/buildcached`. */
  readonly package?: string;
  /** The main module's version, `v1.8.2`; a build in a checkout carries that of its tag since Go 1.24. */
  readonly version?: string;
  /** The commit it was built from, or the first 7 digits of it or more. */
  readonly revision?: string;
  /** The Go release it was built with: `1.26.8`, or `1.26` for any of those. */
  readonly go?: GoVersion | GoMajor;
  /** That nothing in the checkout was changed against its commit. */
  readonly modified?: false;
}

/** The parts of an identity, in the order in which they are shown. */
export const IDENTITY_KEYS = ["module", "package", "version", "revision", "go", "modified"] as const;

export type IdentityKey = (typeof IDENTITY_KEYS)[number];

/** What a program was found to be; each part as far as it says it. */
export interface FoundIdentity {
  /** The main module's path. */
  readonly module?: string;
  /** The main package's path. */
  readonly package?: string;
  /** The main module's version. */
  readonly version?: string;
  /** The commit, in full. */
  readonly revision?: string;
  /** Without `go`: `1.26.8`. */
  readonly go?: string;
  /** Whether the checkout differed from its commit. */
  readonly modified?: boolean;
}

/** Letters of module paths, versions and revisions. See https://go.dev/ref/mod#go-mod-file-ident. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9._~/+-]{0,254}$/;

const version: ValueCheck = (path, given) => {
  if (typeof given === "string" && /^v\d+\.\d+\.\d+[A-Za-z0-9.+-]*$/.test(given)) return [];
  const bare = typeof given === "string" && /^\d+\.\d+\.\d+/.test(given);
  return [issue(path, given, bare ? `"v${given}"` : 'a module version such as "v1.8.2"')];
};

const go: ValueCheck = (path, given) => {
  if (typeof given === "string" && (isGoVersion(given) || isGoMajor(given))) return [];
  const bare = typeof given === "string" ? given.replace(/^go/, "") : "";
  const near = isGoVersion(bare) || isGoMajor(bare);
  return [issue(path, given, near ? `"${bare}", without "go"` : 'a Go release such as "1.26.8" or "1.26"')];
};

/** Checks what an identity asks for. */
export const checkIdentity: ValueCheck = (path, given) =>
  checkFields(path, given, {
    module: matching(WORD, 'a module path such as "git.corp.example/buildcache"'),
    package: matching(WORD, 'a package path such as "git.corp.example/buildcache/cmd/buildcached"'),
    version,
    revision: matching(/^[0-9a-f]{7,64}$/, "a commit: 7 to 64 hex digits, lower case"),
    go,
    modified: oneOf(false),
  });

/** What is not as asked, one line each: `version is v1.8.1, wanted v1.8.2`. */
export function identityDifferences(wanted: ProgramIdentity, found: FoundIdentity): string[] {
  return IDENTITY_KEYS.flatMap((key) => {
    const asked = wanted[key];
    if (asked === undefined || fits(key, String(asked), found[key])) return [];
    return [`${key} is ${found[key] === undefined ? "not in it" : String(found[key])}, wanted ${String(asked)}`];
  });
}

function fits(key: IdentityKey, wanted: string, given: string | boolean | undefined): boolean {
  const found = given === undefined ? "" : String(given);
  if (key === "revision") return found.startsWith(wanted);
  return found === wanted || (key === "go" && isGoMajor(wanted) && found.startsWith(`${wanted}.`));
}
