import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";

/** Users of a mirror: sysusers.d(5). The front's user reads the store by being a member of its group. */
export function mirrorUsers(user: string, frontUser: string, home: AbsolutePath): string {
  return [
    MARKER,
    `u ${user} - "Go module mirror" ${home} -`,
    `u ${frontUser} - "Go module mirror, front" - -`,
    `m ${frontUser} ${user}`,
    "",
  ].join("\n");
}

/** What {@link mirrorDirectories} makes. */
export interface MirrorDirectories {
  readonly user: string;
  readonly runtime: AbsolutePath;
  readonly state: AbsolutePath;
  readonly store: AbsolutePath;
  readonly generation: AbsolutePath;
}

/** Directories of a mirror and the first generation of the front's cache: tmpfiles.d(5). */
export function mirrorDirectories({ user, runtime, state, store, generation }: MirrorDirectories): string {
  const directory = (path: AbsolutePath) => `d ${escaped(path)} 0750 ${user} ${user} -`;
  const first = escaped(cacheGeneration(0).trimEnd());
  return [
    MARKER,
    ...[...new Set([runtime, state, store])].map(directory),
    `f ${escaped(generation)} 0640 ${user} ${user} - ${first}`,
    "",
  ].join("\n");
}

/** The nginx include that holds the cache's generation; the store's keeper writes the next one after a repair. */
export function cacheGeneration(number: number): string {
  return `map "" $gomod_generation { default "g${number}"; }\n`;
}

/** Specifiers begin with `%`, escapes with a backslash; neither is meant here. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("%", "%%");
}
