import { createHash } from "node:crypto";

/** One version of a module, as go.sum files name it. */
export interface WantedVersion {
  readonly path: string;
  readonly version: string;
  /** `h1:` of the zip; undefined where the build list only needed the go.mod. */
  readonly zip?: string;
  /** `h1:` of the go.mod. */
  readonly mod?: string;
}

/** A go.sum file: its name, for messages, and its text. */
export interface SumFile {
  readonly name: string;
  readonly text: string;
}

/**
 * The versions of go.sum files, sorted. See https://go.dev/ref/mod#go-sum-files.
 *
 * @throws {Error} for a line that is none of a go.sum, and for two sums of one thing.
 */
export function wantedVersions(files: readonly SumFile[]): readonly WantedVersion[] {
  const wanted = new Map<string, { path: string; version: string; zip?: string; mod?: string }>();
  for (const { name, text } of files) {
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() === "") continue;
      const where = `${name}:${index + 1}`;
      const [, path = "", version = "", isMod, sum = ""] = LINE.exec(line.trim()) ?? [];
      if (path === "") throw new Error(`${where}: not a line of a go.sum: "module version h1:…" is wanted`);
      const kind = isMod === undefined ? "zip" : "mod";
      const found = wanted.get(`${path}@${version}`) ?? { path, version };
      const before = found[kind];
      if (before !== undefined && before !== sum) {
        throw new Error(`${where}: ${path}@${version} has two sums, ${before} and ${sum}: find out which one is right`);
      }
      wanted.set(`${path}@${version}`, { ...found, [kind]: sum });
    }
  }
  return [...wanted.values()].sort((a, b) => compare(a.path, b.path) || compare(a.version, b.version));
}

/** The `h1:` of a go.mod file, as the `/go.mod` lines of go.sum have it. */
export function modSum(text: Buffer): string {
  const line = `${createHash("sha256").update(text).digest("hex")}  go.mod\n`;
  return `h1:${createHash("sha256").update(line).digest("base64")}`;
}

const LINE = /^([^\s@]+) (v[^\s/@]+)(\/go\.mod)? (h1:[A-Za-z0-9+/]{43}=)$/;

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
