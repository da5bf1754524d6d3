import { must } from "./commands";

/** One line per path: `type mode owner:group size content path`, content being a sha256 or a link's target. */
export type Listing = ReadonlyMap<string, string>;

/** Not part of a host's lasting state: kernel file systems, memory, scratch space. */
const NOT_DISK = ["proc", "sys", "dev", "run", "tmp"];

/** What a host at rest writes by itself: journals, records of logins, when timers last ran, seeds. */
const BY_ITSELF = [
  "var/log/journal",
  "var/log/btmp",
  "var/log/lastlog",
  "var/log/wtmp",
  "var/lib/systemd/random-seed",
  "var/lib/systemd/timers",
  "var/lib/systemd/timesync",
  "var/tmp",
];

/**
 * Everything on the disk of a tree. Read from outside the host where it can be, so that nothing on it can hide or disturb
 * the reading.
 *
 * @param command runs a command where the tree is, and returns what it printed; default: on this machine
 * @param without more directories that are left out
 */
export async function listing(
  rootDir: string,
  command: (name: string, args: readonly string[]) => Promise<string> = must,
  without: readonly string[] = [],
): Promise<Listing> {
  const prune = [...NOT_DISK, ...BY_ITSELF, ...without].flatMap((path, index) => [
    ...(index === 0 ? [] : ["-o"]),
    "-path",
    `${rootDir}/${path}`,
  ]);
  const found = [rootDir, "(", ...prune, ")", "-prune", "-o"];
  const [entries, sums] = await Promise.all([
    command("find", [...found, "-printf", "%P\\t%y\\t%m\\t%U:%G\\t%s\\t%l\\0"]),
    command("sh", ["-c", 'find "$@" -type f -print0 | xargs -0 -r sha256sum -z', "sh", ...found]),
  ]);
  const contents = new Map<string, string>();
  for (const line of sums.split("\0").filter(Boolean)) {
    contents.set(line.slice(66 + rootDir.length + 1), line.slice(0, 64));
  }
  const result = new Map<string, string>();
  for (const entry of entries.split("\0").filter(Boolean)) {
    const [path = "", type = "", mode = "", owner = "", size = "", target = ""] = entry.split("\t");
    // A directory's size is the file system's business.
    const content = type === "f" ? `${size} ${contents.get(path) ?? "vanished"}` : type === "l" ? target : "-";
    result.set(`/${path}`, `${type} ${mode} ${owner} ${content}`);
  }
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What differs between two listings, as lines `- path: before`, `+ path: after`. Empty when nothing does. */
export function difference(before: Listing, after: Listing): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) return [];
    return [...(was === undefined ? [] : [`- ${path}: ${was}`]), ...(is === undefined ? [] : [`+ ${path}: ${is}`])];
  });
}
