import { execFileSync } from "node:child_process";

/** Everything below a directory: type, mode, owner, size, link target and content digest, a line each. */
export function listing(directory: string): string[] {
  const find = execFileSync("find", [".", "-mindepth", "1", "-printf", "%p %y %m %u:%g %l\n"], { cwd: directory });
  const sums = execFileSync("find", [".", "-type", "f", "-exec", "sha256sum", "{}", "+"], { cwd: directory });
  return `${find.toString()}${sums.toString()}`.split("\n").filter(Boolean).sort();
}
