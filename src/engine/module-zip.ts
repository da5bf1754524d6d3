import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

import { type Entry, open, type Options, type ZipFile } from "yauzl";

const openZip = promisify<string, Options, ZipFile>(open);

/** In the module zip nothing is executable; in a Go tree these are. */
const EXECUTABLE = /^(bin|pkg\/tool\/[^/]+)\/[^/]+$/;

/**
 * Unpacks the zip of a `golang.org/toolchain` module into `dir`, without the leading `module@version/`, and sets the
 * execute bits that module zips cannot hold.
 *
 * @returns the module's `h1:` checksum, computed over what was unpacked. The caller compares it and throws the
 *   directory away where it differs.
 * @throws {Error} for an entry outside of the module.
 * @see https://go.dev/ref/mod#go-sum-files
 */
export async function unpackModuleZip(zip: string, module: string, dir: string): Promise<string> {
  const archive = await openZip(zip, { lazyEntries: true });
  const openEntry = promisify<Entry, Readable>(archive.openReadStream.bind(archive));
  const lines: string[] = [];
  for await (const entry of entriesOf(archive)) {
    const name = entry.fileName;
    if (!name.startsWith(`${module}/`) || /(^|\/)\.{0,2}(\/|$)/.test(name)) {
      throw new Error(`the module zip has an entry that is no file of ${module}: ${JSON.stringify(name)}`);
    }
    const path = name.slice(module.length + 1);
    await mkdir(join(dir, dirname(path)), { recursive: true });
    const hash = createHash("sha256");
    const mode = EXECUTABLE.test(path) ? 0o755 : 0o644;
    await pipeline(await openEntry(entry), through(hash), createWriteStream(join(dir, path), { mode }));
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  return hash1(lines);
}

/** Go's "hash 1": sha256 over the sorted list of `<sha256>  <name>` lines. Sorted by name, bytewise. */
function hash1(lines: readonly string[]): string {
  const name = (line: string) => Buffer.from(line.slice(66));
  const sorted = [...lines].sort((a, b) => Buffer.compare(name(a), name(b)));
  return `h1:${createHash("sha256").update(sorted.join("")).digest("base64")}`;
}

function through(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function* entriesOf(archive: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      archive.removeAllListeners();
      archive.once("entry", resolve);
      archive.once("end", () => resolve(undefined));
      archive.once("error", reject);
      archive.readEntry();
    });
    if (!entry) return;
    yield entry;
  }
}
