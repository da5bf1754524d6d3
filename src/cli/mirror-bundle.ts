import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack, type Pack } from "tar-stream";
import { sortedByKey } from "../model/records";
import { toError } from "../model/thrown";
import type { CachedVersion } from "./mirror-modules";

/** The first file of a bundle: what is in it, so that a cut or changed one is known before it is used. */
interface Manifest {
  readonly format: 1;
  /** Names to sha256 of the content, hex. */
  readonly files: Readonly<Record<string, string>>;
  /** As in go.sum: `module@version` and `module@version/go.mod` to `h1:…`. */
  readonly sums: Readonly<Record<string, string>>;
}

const MANIFEST = "gofleet-bundle.json";

/**
 * Writes versions of the module cache as one tar, compressed where the name ends in `.gz` or `.tgz`, that
 * `gofleet-store import` takes. Equal versions make equal bytes.
 *
 * @param root the cache's download directory: names in the bundle are below it
 * @returns the number of files
 */
export async function writeBundle(out: string, versions: readonly CachedVersion[], root: string): Promise<number> {
  const paths = new Map(versions.flatMap(({ files }) => files.map((file) => [nameOf(root, file), file] as const)));
  const names = [...paths.keys()].sort();
  const digests: Record<string, string> = {};
  for (const name of names) digests[name] = await sha256(paths.get(name) ?? "");
  const manifest: Manifest = { format: 1, files: sortedByKey(digests), sums: sortedByKey(sumsOf(versions)) };

  const temporary = join(dirname(out), `.gofleet-${process.pid}.tmp`);
  try {
    const tar = pack();
    const through = /\.(tar\.gz|tgz)$/.test(out) ? [createGzip({ level: 6 })] : [];
    const written = pipeline([
      Readable.from(tar),
      ...through,
      createWriteStream(temporary, { flags: "wx", flush: true }),
    ]);
    // A failure of the pipeline ends the packing as well; it is the one that is reported.
    const packed = packAll(tar, manifest, names, paths).catch((error: unknown) => {
      tar.destroy(toError(error));
    });
    await Promise.all([written, packed]);
    renameSync(temporary, out);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return names.length;
}

async function packAll(
  tar: Pack,
  manifest: Manifest,
  names: readonly string[],
  paths: ReadonlyMap<string, string>,
): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  tar.entry(header(MANIFEST, text.length), text);
  for (const name of names) {
    const path = paths.get(name) ?? "";
    await pipeline(createReadStream(path), tar.entry(header(name, statSync(path).size)));
  }
  tar.finalize();
}

function header(name: string, size: number) {
  return { name, size, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 };
}

function sumsOf(versions: readonly CachedVersion[]): Record<string, string> {
  return Object.fromEntries(
    versions.flatMap(({ path, version, zipSum, modSum }) => [
      ...(zipSum === undefined ? [] : [[`${path}@${version}`, zipSum]]),
      [`${path}@${version}/go.mod`, modSum],
    ]),
  ) as Record<string, string>;
}

function nameOf(root: string, file: string): string {
  const name = relative(root, file).split(sep).join("/");
  if (name.startsWith("../")) throw new Error(`${file} is not in the module cache, ${root}`);
  return name;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
