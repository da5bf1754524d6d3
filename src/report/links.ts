import { posix } from "node:path";
import type { Position } from "./change";
import { printable } from "./plain-text";

/** Where the program's files can be seen as they were previewed. */
export interface Source {
  /** The repository's page: `https://git.corp.example/fleet/infra`. */
  readonly repository: string;
  readonly commit: string;
  /** The project's directory in the repository. @default the root */
  readonly directory?: string;
}

/** A position as text and, where the repository is known and holds the file, its address. */
export function linkOf({ file, line }: Position, source: Source | undefined): { text: string; url?: string } {
  const text = `${file}:${line}`;
  if (source === undefined) return { text };
  const path = posix.normalize(posix.join(source.directory ?? "", file));
  // A file outside of the repository, such as a linked package, has no page.
  if (path.startsWith("../") || posix.isAbsolute(path)) return { text };
  const base = pageOf(source.repository);
  if (base === undefined || !/^[0-9A-Za-z._/-]+$/.test(source.commit)) return { text: `${path}:${line}` };
  return { text: `${path}:${line}`, url: address(base, source.commit, path, line) };
}

function pageOf(repository: string): URL | undefined {
  const url = URL.canParse(repository) ? new URL(repository) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" ? url : undefined;
}

/** File pages of the forges by their host names; another host is taken for GitHub's layout. */
function address({ origin, hostname, pathname }: URL, commit: string, path: string, line: number): string {
  const root = `${origin}${pathname.replace(/\.git$|\/+$/g, "")}`.replace(/[()<>\s]/g, encodeURIComponent);
  const file = path.split("/").map(segment).join("/");
  if (/gitlab/.test(hostname)) return `${root}/-/blob/${commit}/${file}#L${line}`;
  if (/bitbucket/.test(hostname)) return `${root}/src/${commit}/${file}#lines-${line}`;
  if (/dev\.azure\.com$|visualstudio\.com$/.test(hostname)) {
    return `${root}?path=/${file}&version=GC${commit}&line=${line}&lineEnd=${line + 1}&lineStartColumn=1&lineEndColumn=1`;
  }
  return `${root}/blob/${commit}/${file}#L${line}`;
}

function segment(text: string): string {
  return encodeURIComponent(printable(text)).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
