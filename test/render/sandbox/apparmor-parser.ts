import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "../../support/go";
import { program } from "../../support/nginx";

/** Why profiles cannot be compiled on this machine, or undefined if they can. */
export function noParser(): string | undefined {
  return program("apparmor_parser") === undefined ? "there is no apparmor_parser: run .ci/prepare" : undefined;
}

/**
 * What the parser makes of a file of profiles, for a kernel with the features of AppArmor 3; whether this machine's
 * kernel has AppArmor does not matter.
 *
 * @param files more files below /etc/apparmor.d, by name
 */
export function compile(
  text: string,
  files: Readonly<Record<string, string>> = {},
): { readonly binary: Buffer; readonly complaint: string; readonly names: readonly string[] } {
  const folder = temporaryDirectory();
  try {
    for (const [name, content] of Object.entries({ ...files, "the-profiles": text })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const parse = (...options: readonly string[]) =>
      spawnSync(
        program("apparmor_parser") ?? "apparmor_parser",
        [
          ...["--skip-kernel-load", "--skip-cache", "--kernel-features", "/etc/apparmor.d/abi/3.0"],
          ...["--base", folder, "--Include", "/etc/apparmor.d", ...options, join(folder, "the-profiles")],
        ],
        { maxBuffer: 2 ** 28 },
      );
    const { stdout, stderr, status } = parse("--stdout");
    const names = parse("--names").stdout.toString().trim().split("\n");
    const said = stderr.toString().trim();
    return { binary: stdout, complaint: status === 0 ? said : `exit ${status}: ${said}`, names };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
