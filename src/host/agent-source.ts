import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The agent's modules in the order they are joined; the last one runs the verb. */
const MODULES = [
  "common",
  "json",
  "facts",
  "manifest",
  "plan",
  "ownership",
  "directories",
  "stage",
  "fetch",
  "download",
  "archive",
  "module-zip",
  "build",
  "goproxy",
  "overlay",
  "lock",
  "trust",
  "packages",
  "ports",
  "switch",
  "displaced",
  "activate",
  "kernel",
  "units",
  "probe",
  "mask",
  "cause",
  "evidence",
  "releases",
  "settle",
  "onward",
  "check",
  "precheck",
  "apply",
  "revert",
  "launch",
  "audit",
  "watch",
  "back",
  "run",
  "put",
  "hook",
  "confirm",
  "boot",
  "read",
  "adoption",
  "room",
  "remove",
  "main",
] as const;

let cached: string | undefined;

/** The program that runs on hosts (POSIX sh), without the lines that hold only a comment: it travels with every upload. */
export function agentSource(): string {
  cached ??= MODULES.map((name) => withoutComments(readFileSync(join(__dirname, "agent", `${name}.sh`), "utf8"))).join(
    "",
  );
  return cached;
}

function withoutComments(source: string): string {
  return source
    .split("\n")
    .filter((line) => !/^\s*#(?!!| shellcheck )/.test(line))
    .join("\n");
}
