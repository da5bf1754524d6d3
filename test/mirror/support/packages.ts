import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { must } from "../../hosts/support/commands";
import { baseTree, baseTreePath } from "../../hosts/support/base-tree";

const SCRIPT = join(__dirname, "packages.sh");

/** A flat apt repository of these packages for test hosts, in the user's cache; made once per machine. */
export async function packageRepository(packages: readonly string[]): Promise<string> {
  const base = await baseTree((line) => process.stderr.write(`${line}\n`));
  const key = createHash("sha256")
    .update([readFileSync(SCRIPT), baseTreePath(), ...packages].join("\n"))
    .digest("hex")
    .slice(0, 12);
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "gofleet", "packages", key);
  const repository = join(folder, "repository");
  if (existsSync(repository)) return repository;
  mkdirSync(folder, { recursive: true });
  const build =
    '[ -e "$2/repository" ] || { rm -rf "$2/part" && sh "$1" "$2/part" "$3" "$@" && mv "$2/part" "$2/repository"; }';
  const shifted = build.replace('"$@"', packages.map((name) => `'${name}'`).join(" "));
  await must("flock", [join(folder, "lock"), "sh", "-c", shifted, "sh", SCRIPT, folder, base], {
    timeout: 10 * 60_000,
  });
  return repository;
}
