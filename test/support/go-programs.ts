import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FoundIdentity } from "../../src/model/service/release-identity";

/** The main package of {@link goModule}, and its module. */
export const MODULE = "git.corp.example/buildcache";
export const PACKAGE = `${MODULE}/cmd/buildcached`;

/** A build of the module: what is said to go besides the platform. */
export interface ProgramOptions {
  readonly arch?: "amd64" | "arm64";
  readonly flags?: readonly string[];
  /** Default: that of {@link goModule}. */
  readonly package?: string;
}

/**
 * A Go module in a checkout of its own with one commit, tagged v1.8.2; its program prints `hello` and has no imports, so
 * that it is built in a moment.
 * @returns the commit
 */
export function goModule(directory: string): string {
  mkdirSync(join(directory, "cmd/buildcached"), { recursive: true });
  writeFileSync(join(directory, "go.mod"), `module ${MODULE}\n\ngo 1.24\n`);
  const hello = 'package main\n\nvar version = "none"\n\nfunc main() { print("hello " + version + "\\n") }\n';
  writeFileSync(join(directory, "cmd/buildcached/main.go"), hello);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@test.example", ...args], {
      cwd: directory,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
    }).trim();
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message", "one");
  git("tag", "v1.8.2");
  return git("rev-parse", "HEAD");
}

/** Builds the module's program, with the commit in it unless the flags say otherwise. */
export function buildProgram(directory: string, output: string, options: ProgramOptions = {}): void {
  const { arch = "amd64", flags = [], package: what = "./cmd/buildcached" } = options;
  const env = { ...process.env, CGO_ENABLED: "0", GOOS: "linux", GOARCH: arch, GOFLAGS: "-trimpath", GOWORK: "off" };
  execFileSync("go", ["build", ...flags, "-o", output, what], { cwd: directory, env, stdio: "pipe" });
}

/** What `go version -m` says of a program. */
export function goVersion(program: string): FoundIdentity {
  const [head = "", ...lines] = execFileSync("go", ["version", "-m", program], { encoding: "utf8" }).split("\n");
  const fields = lines.map((line) => line.trim().split("\t"));
  const setting = (key: string): string | undefined =>
    fields.find(([kind, text = ""]) => kind === "build" && text.startsWith(`${key}=`))?.[1]?.slice(key.length + 1);
  const mod = fields.find(([kind]) => kind === "mod");
  const modified = setting("vcs.modified");
  const found = {
    module: mod?.[1],
    package: fields.find(([kind]) => kind === "path")?.[1],
    version: mod?.[2],
    revision: setting("vcs.revision"),
    go: / go(\S+)/.exec(head)?.[1],
    modified: modified === undefined ? undefined : modified === "true",
  };
  return JSON.parse(JSON.stringify(found)) as FoundIdentity;
}
