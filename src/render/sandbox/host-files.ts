import type { AbsolutePath } from "../../model/names";
import { MARKER } from "../marker";

/** Users of a sandbox: one a slot, all in one group, and the one that writes the shared module cache. */
export interface SandboxUsers {
  readonly group: string;
  readonly slots: readonly string[];
  readonly moduleUser: string;
}

/** sysusers.d(5). No user has a home, a shell or a password. */
export function sandboxUsers({ group, slots, moduleUser }: SandboxUsers): string {
  return lines([
    `g ${group} - -`,
    ...slots.map((user) => `u ${user} -:${group} "Build slot" / /usr/sbin/nologin`),
    `u ${moduleUser} - "Go modules of build slots" / /usr/sbin/nologin`,
  ]);
}

/** A directory of a sandbox. */
export interface SandboxDirectory {
  readonly path: AbsolutePath;
  /** Four octal digits. */
  readonly mode: string;
  /** @default "root" */
  readonly user?: string;
  /** @default "root" */
  readonly group?: string;
}

/** tmpfiles.d(5); nothing in them is ever cleaned by age. */
export function sandboxDirectories(directories: readonly SandboxDirectory[]): string {
  return lines(
    directories.map(({ path, mode, user = "root", group = "root" }) => `d ${escaped(path)} ${mode} ${user} ${group} -`),
  );
}

function lines(all: readonly string[]): string {
  return `${[MARKER, ...all].join("\n")}\n`;
}

/** Specifiers begin with `%`, escapes with a backslash; neither is meant here. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("%", "%%");
}
