/** Packages of this machine on a test host, which reaches no repository: both are the same Debian. */
import { spawnSync } from "node:child_process";
import { lstatSync } from "node:fs";
import { run } from "../../hosts/support/commands";

/** Why packages cannot be copied from here; undefined: they can. */
export function notInstalled(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => !installed(name));
  return missing.length === 0 ? undefined : `not installed on this machine: ${missing.join(", ")}`;
}

/** Copies the files of packages and of all they depend on, without what the host has already. */
export async function copyPackages(rootDir: string, names: readonly string[]): Promise<void> {
  const wanted = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (wanted.has(name) || !installed(name)) continue;
    wanted.add(name);
    waiting.push(...dependencies(name));
  }
  const files = [...wanted].flatMap(filesOf).join("\0");
  const { code, stderr } = await run(
    "sh",
    [
      "-c",
      'tar --create --directory=/ --null --no-recursion --files-from=- | tar --extract --directory="$0" --skip-old-files',
      rootDir,
    ],
    { input: files },
  );
  if (code !== 0) throw new Error(`packages could not be copied: ${stderr}`);
}

function query(...args: readonly string[]): string {
  return spawnSync("dpkg-query", args, { encoding: "utf8", maxBuffer: 2 ** 26 }).stdout ?? "";
}

function installed(name: string): boolean {
  return query("--show", "--showformat=${db:Status-Abbrev}\n", name).startsWith("ii");
}

/** Names of what a package needs, alternatives too. */
function dependencies(name: string): string[] {
  return query("--show", "--showformat=${Pre-Depends},${Depends}\n", name)
    .split(/[,|\n]/)
    .map((each) => each.replace(/[(:].*$/, "").trim())
    .filter((each) => each !== "");
}

function filesOf(name: string): string[] {
  return query("--listfiles", name)
    .split("\n")
    .filter((path) => /^\/(usr|lib|lib64|s?bin)\//.test(path) && !path.startsWith("/usr/share/doc/"))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    .map((path) => path.slice(1));
}
